package compare

import (
	"cmp"
	"math"
	"slices"

	"github.com/dustin/go-humanize/english"

	"github.com/org/perfgate/internal/result"
)

// judge compares two Sets of one kind of relation.
type judge struct {
	policy Policy
	// tolerance is the policy's of the metric at hand, nil for the usual one.
	tolerance *Tolerance
	against   Reference
	// staged: samples belong together by their pair number, in passes of two stages; paired: by
	// their position.
	staged, paired bool
	// screening: only the route is wanted, and nothing for people to read.
	screening bool
	// fixedLayout: the benchmark at hand could not be linked again in another order.
	fixedLayout bool
	// counted: what is exact about the benchmark at hand was counted in passes of its own; untimed:
	// there are no others.
	counted, untimed bool
	// uncounted: head's counts of it are not complete, for a reason.
	uncounted bool
	// interrupted: the run ended before all was measured.
	interrupted bool
	// stored: base comes from a file of another time.
	stored bool
	// alone: there is no re-measured base, so a stored time is all there is.
	alone bool

	// measured are the units that head has of any benchmark.
	measured map[string]bool

	envDiffers []string
	// countsDiffer names, by unit, why exact values are not of the same code.
	countsDiffer map[string][]string
}

// sets compares all benchmarks of two Sets, in the order of their keys.
func (j judge) sets(base, head *result.Set) []*Comparison {
	j.envDiffers = base.Env.Differs(head.Env)
	j.measured = unitsIn(head)
	j.countsDiffer = map[string][]string{}
	for unit := range unitsIn(base) {
		j.countsDiffer[unit] = base.Env.DiffersInCounts(head.Env, unit)
	}
	bs, hs := base.Index(), head.Index()
	keys := make([]result.Key, 0, len(bs)+len(hs))
	for k := range bs {
		keys = append(keys, k)
	}
	for k := range hs {
		if bs[k] == nil {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, result.Key.Compare)
	rows := make([]*Comparison, 0, 3*len(keys))
	for _, k := range keys {
		rows = append(rows, j.benchmark(k, bs[k], hs[k])...)
	}
	return rows
}

// benchmark compares one benchmark: as a whole where a side cannot be measured, else metric by
// metric.
func (j judge) benchmark(k result.Key, b, h *result.Benchmark) []*Comparison {
	if c := j.whole(k, b, h); c != nil {
		if j.policy.termsOf(k, "").ignore {
			c.as(c.Verdict, false, ignored)
		}
		return []*Comparison{c}
	}
	j.fixedLayout = h.FixedLayout != ""
	j.counted, j.uncounted = j.staged && isCounted(b, h), h.Uncounted != ""
	j.untimed = b.Metric("sec/op") == nil && h.Metric("sec/op") == nil
	untimed := cmp.Or(h.Untimed, b.Untimed)
	var rows []*Comparison
	for _, u := range unitsOf(b, h) {
		if untimed != "" && u.Timing() && h.Metric(u.Name) == nil {
			continue // the row of its time says so
		}
		if u.Info() && (b.Metric(u.Name) == nil || h.Metric(u.Name) == nil) {
			continue // the system does not always tell
		}
		if j.stored && unasked(u.Name, j.measured) {
			continue
		}
		c := j.metric(k, u, b.Metric(u.Name), h.Metric(u.Name))
		c.fixed = j.fixedLayout
		if b.Status != result.OK && j.against == AgainstBase {
			c.note("new or mended benchmark: base was measured with head's test file")
		}
		c.Notes = append(c.Notes, h.Notes...)
		if j.fixedLayout && c.Builds > 0 {
			c.note("layout effects are not excluded, the builds could not be linked again: %s", h.FixedLayout)
		}
		rows = append(rows, c)
	}
	if untimed != "" && (j.staged || j.alone && b.Metric("sec/op") != nil) {
		c := newComparison(k, result.UnitOf("sec/op"), j.against).asUnmeasured(untimed)
		if j.policy.termsOf(k, c.Unit.Name).ignore {
			c.as(c.Verdict, false, ignored)
		}
		rows = append(rows, c)
	}
	if n := len(voids(b, false)) + len(voids(h, false)); n > 0 {
		for _, c := range rows {
			c.note("%d of %s %s void: %s", n, english.Plural(n+min(b.Passes(), h.Passes()), "pass", ""), english.PluralWord(n, "is", "are"), firstVoid(b, h))
		}
	}
	voidTimes(rows, b, h)
	markRestating(rows, b, h)
	return rows
}

// ignored is the note on what the policy ignores.
const ignored = "ignored by the policy: shown, and does not gate"

func firstVoid(b, h *result.Benchmark) string {
	if lost := voids(h, false); len(lost) > 0 {
		return "head: " + lost[0].Message
	}
	return "base: " + voids(b, false)[0].Message
}

// voids are the passes of b that are lost, or those of which only the times are.
func voids(b *result.Benchmark, counted bool) []result.Void {
	if b == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(b.Void), func(v result.Void) bool { return v.Counted != counted })
}

// voidTimes says which times are lost of passes whose counts hold, and keeps times from being judged where too many are.
func voidTimes(rows []*Comparison, b, h *result.Benchmark) {
	lost := voids(h, true)
	if len(lost) == 0 { // of a baseline: it was measured long ago
		return
	}
	n, all := len(lost), min(b.Passes(), h.Passes())
	for _, c := range rows {
		if !c.Unit.Timing() || c.Unmeasured {
			continue
		}
		if n > 1 && float64(n) > voidShare*float64(all) && c.test.active {
			c.test = test{}
			c.as(Inconclusive, c.Gated, "")
		}
		c.note("the times of %d of %d passes are void, their counts hold: %s", n, all, lost[0].Message)
	}
}

// unitsIn are the units that a Set has of any benchmark.
func unitsIn(s *result.Set) map[string]bool {
	units := map[string]bool{}
	for _, b := range s.Benchmarks {
		for _, m := range b.Metrics {
			units[m.Unit.Name] = true
		}
	}
	return units
}

// unasked reports whether a run that measured such units was not asked for one that perfgate measures.
func unasked(unit string, measured map[string]bool) bool {
	return result.Measured(unit) && !measured[unit]
}

// unitsOf lists the units of both sides in the order of display, with what either knows of them. Where they do not
// agree base has the word: a change cannot turn the direction round that it is judged by, nor take it away.
func unitsOf(b, h *result.Benchmark) []result.Unit {
	var us []result.Unit
	for _, m := range slices.Concat(b.Metrics, h.Metrics) {
		switch i := slices.IndexFunc(us, func(u result.Unit) bool { return u.Name == m.Unit.Name }); {
		case i < 0:
			us = append(us, m.Unit)
		case us[i].Better == result.Unknown:
			us[i].Better = m.Unit.Better
		}
	}
	slices.SortStableFunc(us, result.Unit.Compare)
	return us
}

// whole returns the one row of a benchmark that cannot be compared metric by metric, nil for one
// that can.
func (j judge) whole(k result.Key, b, h *result.Benchmark) *Comparison {
	c := newComparison(k, result.Unit{}, j.against)
	c.Gated = true
	bs, hs := status(b), status(h)
	switch {
	case hs == result.Unbuilt || bs == result.Unbuilt:
		return c.as(Incomparable, false, "its package does not build")
	case hs == result.Failed:
		return c.asBroken(b, h)
	case hs != result.OK:
		return c.asGone(b, h)
	case h.Same != "":
		c.Same = true
		return c.as(Unchanged, true, h.Same)
	case h.Unmeasured != "":
		return c.asUnmeasured(h.Unmeasured)
	case b != nil && b.Scenario != h.Scenario:
		return c.as(Incomparable, false, "another scenario than base's: "+cmp.Or(b.Scenario, "none"))
	case b != nil && b.Incomparable != "":
		return c.as(Incomparable, false, b.Incomparable)
	case b != nil && b.Unmeasured != "":
		return c.asUnmeasured(b.Unmeasured)
	case b == nil || b.Passes() == 0 && bs != result.OK:
		return c.asAdded(b)
	}
	return j.voided(c, b, h)
}

// newComparison is one of which nothing is known yet.
func newComparison(k result.Key, u result.Unit, against Reference) *Comparison {
	return &Comparison{Key: k, Unit: u, Against: against, P: math.NaN(), RankP: math.NaN(), MDE: math.NaN(), Change: math.NaN(), Lo: math.NaN(), Hi: math.NaN()}
}

func status(b *result.Benchmark) result.Status {
	if b == nil {
		return result.Absent
	}
	return b.Status
}

func (c *Comparison) as(v Verdict, gated bool, note string) *Comparison {
	c.Verdict, c.Gated = v, gated
	if note != "" {
		c.Notes = append(c.Notes, note)
	}
	return c
}

// asUnmeasured judges a benchmark that the budget did not reach.
func (c *Comparison) asUnmeasured(why string) *Comparison {
	c.Unmeasured = true
	return c.as(Inconclusive, true, why)
}

func (c *Comparison) asBroken(b, h *result.Benchmark) *Comparison {
	if status(b) == result.Failed {
		return c.as(Broken, false, "it fails on both sides: "+h.Message)
	}
	return c.as(Broken, true, "it fails on head: "+h.Message)
}

// asGone judges a benchmark that head has not, or skips.
func (c *Comparison) asGone(b, h *result.Benchmark) *Comparison {
	why := "head has no such benchmark"
	if h != nil && h.Message != "" {
		why = h.Message
	}
	if status(h) == result.Skipped {
		why = "head skips it: " + why
		if h.Message == "" {
			why = "head skips it"
		}
	}
	switch status(b) {
	case result.OK:
		return c.as(Missing, true, why)
	case result.Failed:
		return c.as(Missing, false, why+"; it failed on base: "+b.Message)
	case result.Skipped:
		return c.as(Incomparable, false, why+"; base skips it too")
	}
	return c.as(Incomparable, false, why+"; on both sides")
}

func (c *Comparison) asAdded(b *result.Benchmark) *Comparison {
	switch status(b) {
	case result.Failed:
		return c.as(Added, false, "it failed on base: "+b.Message)
	case result.Skipped:
		return c.as(Added, false, "base skips it")
	}
	return c.as(Added, false, "")
}

// Void passes: so many on one side, or such a share of all, and there is no comparison.
const (
	voidsToBreak = 3
	voidShare    = 0.05 // of the passes, where more than one is void
)

// voided judges a benchmark whose processes kept failing while it was measured. It returns nil
// where enough passes are whole.
func (j judge) voided(c *Comparison, b, h *result.Benchmark) *Comparison {
	headLost, baseLost := voids(h, false), voids(b, false)
	hv, bv := len(headLost), len(baseLost)
	whole := min(h.Passes(), b.Passes())
	switch {
	case hv >= voidsToBreak && hv > 2*bv:
		c.as(Broken, true, "")
		c.note("head's process failed in %d of %d passes: %s", hv, hv+bv+whole, headLost[0].Message)
	case bv >= voidsToBreak && bv > 2*hv:
		c.as(Incomparable, false, "")
		c.note("base's process failed in %d of %d passes: %s", bv, hv+bv+whole, baseLost[0].Message)
	case hv+bv > 1 && float64(hv+bv) > voidShare*float64(hv+bv+whole):
		c.as(Inconclusive, true, "")
		c.note("%d of %s are void: %s", hv+bv, english.Plural(hv+bv+whole, "pass", ""), firstVoid(b, h))
	case whole == 0:
		c.asUnmeasured("no pass was measured")
	default:
		return nil
	}
	return c
}
