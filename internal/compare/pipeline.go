package compare

import (
	"slices"

	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stats"
)

// PipelineShift is what perfgate's own pipeline took while the rest was measured. It is the same code on both
// sides: what moves there is the machine.
type PipelineShift struct {
	// Samples is the number of runs of load beside each side, 0 where no time was measured.
	Samples int
	// Base and Head are the medians of their p50 latency in seconds, Base 0 where head was measured alone; Lo and Hi
	// are the extremes of both together.
	Base, Head, Lo, Hi float64
	// Counts is the number of its exact counts that the baseline has as well, Other why it has none.
	Counts int
	Other  string
}

// pipelineUnit is the time that stands for the pipeline's.
const pipelineUnit = "p50-sec"

// judgePipeline describes the times of perfgate's own pipeline and compares its counts with those of the baseline: a
// difference is a row like others. Nil where it was not measured.
func (o *Outcome) judgePipeline(f *result.File, p Policy) *PipelineShift {
	head := f.Head.Control
	if head == nil {
		return nil
	}
	s := &PipelineShift{}
	if m := head.Metric(pipelineUnit); m != nil && len(m.Samples) > 0 {
		all := m.Values()
		s.Samples, s.Head = len(all), stats.Median(all)
		if f.Base != nil && f.Base.Control != nil && f.Base.Control.Metric(pipelineUnit) != nil {
			beside := f.Base.Control.Metric(pipelineUnit).Values()
			s.Base, all = stats.Median(beside), slices.Concat(all, beside)
		}
		s.Lo, s.Hi = slices.Min(all), slices.Max(all)
	}
	if f.Baseline == nil || f.Baseline.Control == nil {
		return s
	}
	stored := f.Baseline.Control
	if stored.Scenario != head.Scenario {
		s.Other = "the baseline's was another: " + stored.Scenario
		return s
	}
	j := judge{policy: p, against: AgainstBaseline, alone: f.Base == nil, stored: true}
	for _, c := range j.benchmark(head.Key(), stored, head) {
		switch {
		case c.Unit.Timing() || c.Unit.Info():
		case c.Exact && c.Verdict == Unchanged:
			s.Counts++
		default:
			o.Comparisons = append(o.Comparisons, c)
		}
	}
	return s
}
