package harness

import (
	"cmp"
	"slices"

	"github.com/org/perfgate/internal/parse"
	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stats"
)

const (
	// importsKept of those that changed, the heaviest first, and slowestKept of the others.
	importsKept, slowestKept = 20, 5
	// importGrowth in seconds is the least that is worth a line.
	importGrowth = 0.5e-3
)

// changedImports compares the packages that both sides initialise, each by the median of its traces: those that
// are new on head or took longer in every trace, the largest growth first, and behind them the slowest of the
// others.
func changedImports(traces [2][]parse.Imports) []result.Import {
	base, head := byPackage(traces[Base]), byPackage(traces[Head])
	var grown, others []result.Import
	for name, h := range head {
		b, known := base[name]
		i := result.Import{Name: name, New: !known && len(traces[Base]) > 0, Head: stats.Median(h.self), Total: stats.Median(h.total)}
		if known {
			i.Base = stats.Median(b.self)
		}
		i.Grew = known && slices.Min(h.self) > slices.Max(b.self) && i.Head-i.Base >= importGrowth
		switch {
		case i.New, i.Grew:
			grown = append(grown, i)
		default:
			others = append(others, i)
		}
	}
	slices.SortFunc(grown, func(a, b result.Import) int {
		return cmp.Or(cmp.Compare(b.Head-b.Base, a.Head-a.Base), cmp.Compare(a.Name, b.Name))
	})
	slices.SortFunc(others, func(a, b result.Import) int { return cmp.Or(cmp.Compare(b.Head, a.Head), cmp.Compare(a.Name, b.Name)) })
	return slices.Concat(grown[:min(len(grown), importsKept)], others[:min(len(others), slowestKept)])
}

// times are a package's in each trace.
type times struct{ self, total []float64 }

func byPackage(traces []parse.Imports) map[string]times {
	m := map[string]times{}
	for _, t := range traces {
		for _, p := range t.Packages {
			of := m[p.Name]
			m[p.Name] = times{append(of.self, p.Self), append(of.total, p.Total)}
		}
	}
	return m
}
