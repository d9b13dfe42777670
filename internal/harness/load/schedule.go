package load

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"time"
)

// Schedule is all that is decided before the first run.
type Schedule struct {
	// Due is when each run of an open plan is due, since the beginning, in ascending order. It is nil in a
	// closed one.
	Due []time.Duration
	// Blocks are the ends of a closed plan's chunks: run numbers that the next chunk begins with, the last
	// being the number of runs. It is nil in an open one.
	Blocks []int
	// Length is how long an open plan offers load.
	Length time.Duration
	// Hash is the SHA-256 of the above and of what else decides when a run begins. Two traces are
	// comparable where it agrees.
	Hash string
}

// Runs is the number of runs.
func (s *Schedule) Runs() int {
	if n := len(s.Blocks); n > 0 {
		return s.Blocks[n-1]
	}
	return len(s.Due)
}

// Schedule decides when each run is due. The same plan gives the same schedule. The error is a *FieldError.
func (p *Plan) Schedule() (*Schedule, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	s := &Schedule{}
	switch {
	case p.Burst != nil:
		s.burst(p.Burst)
	case p.Replay != nil:
		s.Due, s.Length = p.Replay, p.Replay[len(p.Replay)-1]
	case p.Open():
		s.stages(p)
	default:
		s.blocks(p)
	}
	if p.Open() && p.Runs > 0 {
		if p.Runs > len(s.Due) {
			return nil, fieldErrorf("runs", "%d do not fit: %d are due in %v; raise --duration or leave --runs out", p.Runs, len(s.Due), s.Length)
		}
		s.Due = s.Due[:p.Runs]
	}
	if s.Runs() == 0 {
		return nil, fieldErrorf("rate", "no run is due in %v", s.Length)
	}
	s.hash(p)
	return s, nil
}

// blocks splits the runs of a closed plan. The first blocks take what does not divide.
func (s *Schedule) blocks(p *Plan) {
	chunks := max(1, p.Chunks)
	end := 0
	for i := range chunks {
		end += p.Runs / chunks
		if i < p.Runs%chunks {
			end++
		}
		s.Blocks = append(s.Blocks, end)
	}
}

func (s *Schedule) burst(b *Burst) {
	s.Length = b.Length
	for at := time.Duration(0); at < b.Length; at += b.Every {
		for range b.Size {
			s.Due = append(s.Due, at)
		}
	}
}

// stages turns distances between arrivals into times: x runs are due when the area under the rate is x.
func (s *Schedule) stages(p *Plan) {
	total := 0.0
	for _, stage := range p.Stages {
		total += stage.runs()
		s.Length += stage.Length
	}
	n := int(math.Round(total))
	if math.Abs(total-float64(n)) > 1e-6 {
		n = int(total)
	}
	due := p.Arrival.due(n, p.Seed)
	s.Due = make([]time.Duration, 0, n)
	stage, began, before := 0, time.Duration(0), 0.0
	for _, x := range due {
		for stage < len(p.Stages)-1 && x >= before+p.Stages[stage].runs() {
			before += p.Stages[stage].runs()
			began += p.Stages[stage].Length
			stage++
		}
		sec := p.Stages[stage].at(x - before)
		s.Due = append(s.Due, min(s.Length, began+time.Duration(math.Round(sec*1e9))))
	}
}

func (s *Schedule) hash(p *Plan) {
	h := sha256.New()
	fmt.Fprintf(h, "schedule 1: concurrency %d, think %v, pause %v, warmup %d, blocks %d, due:", p.Concurrency, p.Think, p.Pause, p.Warmup, s.Blocks)
	for _, d := range s.Due {
		binary.Write(h, binary.BigEndian, int64(d))
	}
	s.Hash = hex.EncodeToString(h.Sum(nil))
}
