package compare

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stats"
)

// Counts of statements are facts where they are constant. Some benchmarks count a little differently each
// time, by the order of a map or the values of a seed: these near-exact ones are tested over passes, by
// their own spread. What differs by more depends on time or on scheduling, and is only shown.
const (
	statementsRelative = 0.01 // a rise that is accepted
	// nearMargin is the shift that is accepted of a count that varies, nearSpread the most that it
	// may vary within a side.
	nearMargin = statementsRelative / 2
	nearSpread = 0.02
	// instructionsRelative is the rise of a constant number of instructions that is accepted, and
	// instructionsMargin the shift of one that varies.
	instructionsRelative = 0.005
	instructionsMargin   = 0.002
	// instructionsStored is the difference from a stored number that is accepted.
	instructionsStored = 0.01
	// mostCounted is the most passes of counting, surely the power that they are chosen for.
	mostCounted = 80
	surely      = 0.99
	// mostExplained is the number of blocks of the source that a note names.
	mostExplained = 3
	// leastExplained is the share of the rise that such a block has: less is how counts vary.
	leastExplained = nearSpread
)

// isCounted reports whether what is exact about a benchmark was counted, apart from its times.
func isCounted(b, h *result.Benchmark) bool {
	return b.Metric(result.Statements) != nil && h.Metric(result.Statements) != nil
}

// nearExact tests two counts that vary, pass by pass.
func (c *Comparison) nearExact(j judge, b, h *result.Metric) {
	bv, hv := b.Values(), h.Values()
	spread := math.Max(spreadOf(bv), spreadOf(hv))
	if (c.Unit.Name == result.Statements || c.Unit.Name == result.Instructions) && !(spread <= nearSpread) {
		c.as(Inconclusive, false, "")
		much := fmt.Sprintf("%.2g%%", 100*spread)
		if math.IsInf(spread, 0) {
			much = "all of it" // it is 0 mostly, and now and then not
		}
		c.note("it varies by %s within a side: it depends on time or on scheduling, and does not gate", much)
		return
	}
	c.paired(j, b, h)
	c.test.counted, c.test.interrupted = c.test.active, j.interrupted
	if !hasZero(bv) && !hasZero(hv) {
		c.note("near-exact: it varies by %.2g%% within a side", 100*spread)
	}
}

// spreadOf is the relative standard deviation of values, by their MAD where that is more than none.
func spreadOf(vs []float64) float64 {
	typical := stats.Median(vs)
	if sd := stats.RobustSD(vs); sd > 0 {
		return sd / typical
	}
	far := 0.0
	for _, v := range vs {
		far = math.Max(far, math.Abs(v-typical))
	}
	if far == 0 { // also of zeros, which have no ratio
		return 0
	}
	return far / typical / math.Sqrt(float64(len(vs)))
}

// Counting reports whether a benchmark needs further passes of counting, of its instructions or of all else that
// is exact, to be judged beside so many others: it is no constant, not clearly the same within the margin, and has not
// as many yet as would find twice the margin in its spread.
func (p Policy) Counting(base, head *result.Benchmark, instructions bool, among int) bool {
	j := judge{policy: p, against: AgainstBase, staged: true, screening: true}
	return slices.ContainsFunc(j.benchmark(head.Key(), base, head), func(c *Comparison) bool {
		switch {
		case c.Exact || c.Unit.Timing() || c.Unit.Name == "" || (c.Unit.Name == result.Instructions) != instructions:
			return false
		case c.test.counted:
			return c.Pairs < FirstLook || !c.test.within() && c.Pairs < c.enough(p, among)
		}
		n := min(c.Base.N, c.Head.N)
		return 0 < n && n < FirstLook // whether it varies too much is not known before
	})
}

// enough is the number of passes with which the test would find twice the margin. It is asked after each of them,
// and the lowest of many estimates of a deviation is too low: hence a bit less than twice.
func (c *Comparison) enough(p Policy, among int) int {
	effect := 1.75 * c.test.margin
	sd, n := stats.RobustSD(c.test.diffs), p.Builds(among)
	for n < mostCounted && stats.Detectable(sd, n, c.test.margin, p.ConfirmAlpha()/float64(max(1, among)), surely) > effect {
		n++
	}
	return n
}

// storedInstructions compares counts with those of another time: a shift is believed where no count of one side
// comes near any of the other.
func (c *Comparison) storedInstructions(j judge, bv, hv []float64) {
	b, h := ordered(bv), ordered(hv)
	accepted := instructionsStored
	if j.tolerance != nil {
		accepted = j.tolerance.of(c.Base.Center) / c.Base.Center
	}
	switch {
	case len(j.countsDiffer[c.Unit.Name]) > 0:
		c.as(Incomparable, false, "counted otherwise: different "+strings.Join(j.countsDiffer[c.Unit.Name], ", "))
	case len(b) < MinConstant || len(h) < MinConstant:
		c.as(Inconclusive, c.Gated, "fewer than 3 samples a side")
	case math.Max(spreadOf(bv), spreadOf(hv)) > nearSpread:
		c.as(Inconclusive, false, "it varies too much within a side, and does not gate")
	case h[0] > b[len(b)-1]*(1+accepted):
		c.Verdict = Regression
	case b[0] > h[len(h)-1]*(1+accepted):
		c.Verdict = Improvement
	case math.Abs(c.Change) <= accepted:
		c.Verdict = Unchanged
	default:
		c.Verdict = Inconclusive
	}
}

// lines are those of a block.
func lines(b result.Block) string {
	if b.From == b.To {
		return strconv.Itoa(b.From)
	}
	return fmt.Sprintf("%d-%d", b.From, b.To)
}

func ordered(vs []float64) []float64 { return slices.Sorted(slices.Values(vs)) }

// explainCounts adds to regressions of statements where in the source they are, and keeps those that come
// with a confirmed improvement of time from failing the gate.
func (o *Outcome) explainCounts(head *result.Set) {
	index := head.Index()
	faster := map[result.Key]bool{}
	for _, c := range o.Comparisons {
		if c.Unit.Name == "sec/op" && c.Against == AgainstBase && c.Verdict == Improvement {
			faster[c.Key] = true
		}
	}
	for _, c := range o.Comparisons {
		if c.Unit.Name != result.Statements && c.Unit.Name != result.Instructions || c.Verdict != Regression {
			continue
		}
		if faster[c.Key] {
			c.Gated = false
			what, _, _ := strings.Cut(c.Unit.Name, "/")
			c.note("more %s in less time: shown, and does not gate", what)
		}
		h := index[c.Key]
		if h == nil || c.Unit.Name != result.Statements {
			continue
		}
		for i, b := range h.Blocks {
			if i == mostExplained || b.Head-b.Base < leastExplained*(c.Head.Center-c.Base.Center) {
				break
			}
			c.note("%s:%s: %.6g → %.6g statements an operation", b.File, lines(b), b.Base, b.Head)
		}
	}
}
