package proc

import (
	"sync"
	"time"
)

// Memory is what a process and its descendants hold at one moment.
type Memory struct {
	// RSS is what of their memory is in RAM, in bytes. Pages that processes share count for each of them.
	RSS int64 `json:"rss_bytes"`
	// Peak is the largest RSS that any one of them had so far, which the kernel notes whether or not anybody
	// looks. It is 0 where it does not.
	Peak int64 `json:"peak_bytes,omitempty"`
	// Processes and Descriptors are their number and that of their open files, sockets and pipes.
	Processes   int `json:"processes"`
	Descriptors int `json:"descriptors"`
}

// High is the highest that is known of a tree with that reading.
func (m Memory) High() int64 { return max(m.RSS, m.Peak) }

// Point is a reading with its time since the sampler began.
type Point struct {
	At time.Duration `json:"at_ns"`
	Memory
}

// mostPoints are kept of a timeline. Where it is longer neighbours are merged, so that however long a program
// runs it fits into memory.
const mostPoints = 2048

// Sampler reads the memory of a process tree now and then.
type Sampler struct {
	pid   int
	every time.Duration
	began time.Time
	stop  chan struct{}
	done  chan struct{}

	mu     sync.Mutex
	points []Point
	each   int // readings in a point
	merged int // readings in the last point
	high   int64
	seen   int
}

// Sample begins to read the tree of a process at once and then after every pause of such length.
func Sample(pid int, every time.Duration) *Sampler {
	s := &Sampler{pid: pid, every: every, began: time.Now(), stop: make(chan struct{}), done: make(chan struct{}), each: 1}
	s.read()
	go s.run()
	return s
}

func (s *Sampler) run() {
	defer close(s.done)
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			s.read()
		}
	}
}

func (s *Sampler) read() {
	m, ok := ReadMemory(s.pid)
	s.mu.Lock()
	defer s.mu.Unlock()
	if ok {
		s.keep(Point{time.Since(s.began), m})
	}
}

// keep adds a reading to the timeline.
func (s *Sampler) keep(p Point) {
	s.seen++
	s.high = max(s.high, p.High())
	if n := len(s.points); n > 0 && s.merged < s.each {
		s.points[n-1], s.merged = higher(s.points[n-1], p), s.merged+1
		return
	}
	if len(s.points) == mostPoints {
		for i := range mostPoints / 2 {
			s.points[i] = higher(s.points[2*i], s.points[2*i+1])
		}
		s.points, s.each = s.points[:mostPoints/2], 2*s.each
	}
	s.points, s.merged = append(s.points, p), 1
}

func higher(a, b Point) Point {
	if b.RSS > a.RSS {
		return b
	}
	return a
}

// Timeline is what a sampler saw.
type Timeline struct {
	Points []Point `json:"points"`
	// Readings is the number of them, which a point may have several of: the highest stands there.
	Readings int `json:"readings"`
	// High is the highest that is known: a reading, or the peak of a process that the kernel keeps.
	High int64 `json:"-"`
}

// Stop ends the sampler. The process may have ended before.
func (s *Sampler) Stop() Timeline {
	close(s.stop)
	<-s.done
	return Timeline{s.points, s.seen, s.high}
}
