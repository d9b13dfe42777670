package compare

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// recorded is a real run of which every benchmark has both stages, pass by pass and build by build.
type recorded struct{ first, fresh [][][]float64 }

// recordings reads testdata/runs, which `perfgate selftest --record` wrote.
func recordings(t *testing.T) []recorded {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "runs", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []recorded
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := result.Read(file)
		file.Close()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var r recorded
		index := f.Base.Index()
		for _, h := range f.Head.Benchmarks {
			bm, hm := index[h.Key()].Metric("sec/op"), h.Metric("sec/op")
			first, fresh := passes(bm.Samples, hm.Samples, logRatio(1)), passes(bm.Confirm, hm.Confirm, logRatio(1))
			if len(first) < FirstLook || len(fresh) < 12 {
				continue // the budget did not reach it
			}
			r.first, r.fresh = append(r.first, first), append(r.fresh, fresh)
		}
		if len(r.first) < 4 {
			t.Fatalf("%s has %d benchmarks with both stages", name, len(r.first))
		}
		all = append(all, r)
	}
	if len(all) < 6 {
		t.Fatalf("%d recorded runs, want 6", len(all))
	}
	return all
}

// replay judges the run with the sign of every value chosen by a coin: what the run could as well have
// been without any difference. Which benchmarks come to the second stage is decided anew.
func (rec recorded) replay(r *rand.Rand) *Outcome {
	o := &Outcome{}
	for i := range rec.first {
		first := flipped(r, rec.first[i])
		var fresh [][]float64
		if routed(first) != result.Settled {
			fresh = flipped(r, rec.fresh[i])
		}
		o.Comparisons = append(o.Comparisons, row(DefaultPolicy, first, fresh))
	}
	o.decide(DefaultPolicy)
	return o
}

// routed is what the looks of the first stage come to.
func routed(first [][]float64) result.Route {
	for _, n := range []int{6, 8, 12, 16, 24, 48} {
		n = min(n, len(first))
		last := n == len(first)
		if route := row(DefaultPolicy, first[:n], nil).route(DefaultPolicy, last); route != result.Undecided || last {
			return route
		}
	}
	return result.Undecided
}

// TestReplayRecorded: on real traces with random signs at most one suite in a hundred shows any
// regression. It assumes nothing about the noise: not its distribution, not its drift.
func TestReplayRecorded(t *testing.T) {
	manySuites(t)
	runs := recordings(t)
	flips := 3000
	if long() {
		flips = 10000
	}
	got := simulate(flips, 20261122, func(r *rand.Rand) *Outcome { return runs[r.IntN(len(runs))].replay(r) })
	if got.confirmed == 0 {
		t.Error("nothing ever came to the second stage")
	}
	t.Log(got)
	if got.alarms > flips/100 || got.improvements > flips/100 {
		t.Errorf("%v; want at most %d of either", got, flips/100)
	}
}
