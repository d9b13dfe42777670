package proc

import (
	"testing"
	"time"
)

// A timeline of any length fits, and keeps its highest point.
func TestTimelineBounded(t *testing.T) {
	s := &Sampler{each: 1}
	const n = 100_000
	for i := range n {
		m := Memory{RSS: int64(i % 7)}
		if i == 54_321 {
			m.RSS = 1000
		}
		s.keep(Point{time.Duration(i), m})
	}
	if len(s.points) > mostPoints || len(s.points) < mostPoints/4 || s.seen != n || s.high != 1000 {
		t.Errorf("%d points of %d readings, highest %d", len(s.points), s.seen, s.high)
	}
	found := false
	for i, p := range s.points {
		found = found || p.RSS == 1000
		if i > 0 && p.At <= s.points[i-1].At {
			t.Fatalf("point %d at %d comes after %d", i, p.At, s.points[i-1].At)
		}
	}
	if !found {
		t.Error("the highest reading is lost")
	}
}
