// Package profiler collects what programs tell of their spans, and says of two profiles which functions and places
// cost more in one than in the other.
//
// It neither takes profiles nor judges: a growth is what was sampled, beside the noise that sampling has, and spans
// are what a stranger's program says. What it keeps of that is bounded.
package profiler

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// Taken is a profile of one side.
type Taken struct {
	Profile *profile.Profile
	// Type is the sample type that counts, such as "cpu" or "alloc_objects".
	Type string
	// PerOp is what an operation costs by all samples together, in the unit of the answer.
	PerOp float64
	// Summed says that PerOp is what the samples add up to, and as uncertain as they are.
	Summed bool
	// Exact says that the samples are all there was, and not some of it.
	Exact bool
}

// Growth is what a function costs an operation on either side.
type Growth struct {
	Function string
	// File is the package's import path and the file's name; with Line it is where most of the growth is, in
	// base's source where head does not have the function.
	File string
	Line int
	// Base and Head are costs in the unit of Taken.PerOp, Err is the standard error of their difference.
	Base, Head, Err float64
	// Path are the functions of one's own that lead to it where it costs most, the outermost first.
	Path []string
}

// Change is what the function costs more on head.
func (g Growth) Change() float64 { return g.Head - g.Base }

// Charge says whom a sample is charged to: the innermost function of its stack of which To is true. Where there is
// none, or another comes first of which Nobody is true, the sample is nobody's.
type Charge struct{ To, Nobody func(function string) bool }

// Any charges a sample to the function that ran. What the scheduler does to interrupt it is the function's, too.
func Any() Charge {
	return Charge{
		To:     func(function string) bool { return !strings.HasPrefix(function, "runtime.asyncPreempt") },
		Nobody: func(string) bool { return false },
	}
}

// Own charges a sample to the innermost function of the packages below the given import paths: whatever it calls
// of other modules, of the standard library and of the runtime is its cost; but not what package testing does
// between the iterations of a benchmark.
func Own(modules ...string) Charge {
	return Charge{
		To: func(function string) bool {
			pkg := PackageOf(function)
			return slices.ContainsFunc(modules, func(m string) bool {
				return pkg == m || pkg == m+"_test" || strings.HasPrefix(pkg, m+"/")
			})
		},
		Nobody: func(function string) bool { return strings.HasPrefix(function, "testing.(*") },
	}
}

// PackageOf is the import path in a function's name as the linker has it: without the escapes of the dots in its
// last element, and that of an external test package with its _test.
func PackageOf(function string) string {
	function, _, _ = strings.Cut(function, "[") // the types of an instance have paths of their own
	slash := strings.LastIndexByte(function, '/') + 1
	last, _, _ := strings.Cut(function[slash:], ".")
	return strings.ReplaceAll(function[:slash]+last, "%2e", ".")
}

// fileOf is the function's file by its package, wherever it lies on the machine that built it.
func fileOf(f *profile.Function) string {
	source := strings.ReplaceAll(f.Filename, `\`, "/")
	name, pkg := path.Base(source), PackageOf(f.Name)
	if pkg == f.Name { // assembly may name no package: its folder is what there is
		return path.Base(path.Dir(source)) + "/" + name
	}
	if strings.HasSuffix(name, "_test.go") {
		pkg = strings.TrimSuffix(pkg, "_test") // an external test lies in the package's folder
	}
	return pkg + "/" + name
}

// significant is how many standard errors a growth must have.
const significant = 3

// Grown returns the functions whose cost changed by more than sampling explains, the largest rise first.
func Grown(base, head Taken, charge Charge) ([]Growth, error) {
	var sides [2]*costs
	for i, t := range []Taken{base, head} {
		var err error
		if sides[i], err = t.costs(charge); err != nil {
			return nil, err
		}
	}
	names := map[string]bool{}
	for _, s := range sides {
		for name := range s.functions {
			names[name] = true
		}
	}
	var out []Growth
	for name := range names {
		b, h := sides[0].functions[name], sides[1].functions[name]
		g := Growth{Function: name, Base: b.value(), Head: h.value(), Err: math.Hypot(b.err(), h.err())}
		if math.Abs(g.Change()) <= significant*g.Err || g.Change() == 0 {
			continue
		}
		g.locate(b, h)
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b Growth) int {
		return cmp.Or(cmp.Compare(b.Change(), a.Change()), cmp.Compare(a.Function, b.Function))
	})
	return out, nil
}

// locate finds the line of the function that changed most the way that it did.
func (g *Growth) locate(b, h *cost) {
	if h == nil {
		b, h = nil, b
	}
	g.File, g.Path = h.file, h.path
	most, sign := math.Inf(-1), 1.0
	if g.Change() < 0 {
		sign = -1
	}
	for line, grown := range aligned(b.inOrder(), h.inOrder()) {
		if grown *= sign; grown > most || grown == most && line < g.Line {
			most, g.Line = grown, line
		}
	}
}

// lineCost is what a line costs an operation.
type lineCost struct {
	line int
	cost float64
}

func (c *cost) inOrder() []lineCost {
	if c == nil {
		return nil
	}
	var out []lineCost
	for line, v := range c.lines {
		out = append(out, lineCost{line, v * c.scale})
	}
	slices.SortFunc(out, func(a, b lineCost) int { return a.line - b.line })
	return out
}

// aligned is what each line of head costs more. The source between may have changed, so lines are matched in their
// order such that the costs of matched ones differ least, and those of the others are theirs alone: the alignment
// of Needleman and Wunsch, 1970.
func aligned(base, head []lineCost) map[int]float64 {
	// Where leaving a line out and changing two cost the same, it is the former.
	differ := func(i, j int) float64 { return 1.01 * math.Abs(head[j-1].cost-base[i-1].cost) }
	least := make([][]float64, len(base)+1)
	for i := range least {
		least[i] = make([]float64, len(head)+1)
		for j := range least[i] {
			switch {
			case i == 0 && j == 0:
			case i == 0:
				least[i][j] = least[i][j-1] + head[j-1].cost
			case j == 0:
				least[i][j] = least[i-1][j] + base[i-1].cost
			default:
				least[i][j] = min(least[i-1][j-1]+differ(i, j), least[i][j-1]+head[j-1].cost, least[i-1][j]+base[i-1].cost)
			}
		}
	}
	out := map[int]float64{}
	for i, j := len(base), len(head); j > 0; {
		h := head[j-1]
		switch {
		case i > 0 && least[i][j] == least[i-1][j-1]+differ(i, j):
			out[h.line] = h.cost - base[i-1].cost
			i, j = i-1, j-1
		case i > 0 && least[i][j] == least[i-1][j]+base[i-1].cost:
			i--
		default:
			out[h.line] = h.cost
			j--
		}
	}
	return out
}

// costs are what each function costs an operation.
type costs struct {
	functions map[string]*cost
}

// cost is a function's.
type cost struct {
	sum      float64
	variance float64 // of sum, were its samples independent (Poisson)
	scale    float64 // makes a value that of an operation
	unshared float64 // what of the variance is left where the sum of all is known
	exact    bool
	file     string
	lines    map[int]float64
	path     []string
	heaviest int64
}

func (c *cost) value() float64 {
	if c == nil {
		return 0
	}
	return c.sum * c.scale
}

// err is the standard error of a number of independent samples, or where the number of all is known of a share of them
// (binomial).
func (c *cost) err() float64 {
	if c == nil || c.exact {
		return 0
	}
	return c.scale * math.Sqrt(c.variance*c.unshared)
}

// costs charges each sample to one function.
func (t Taken) costs(charge Charge) (*costs, error) {
	if t.Profile == nil {
		return nil, errors.New("no profile")
	}
	at := slices.IndexFunc(t.Profile.SampleType, func(v *profile.ValueType) bool { return v.Type == t.Type })
	if at < 0 {
		return nil, fmt.Errorf("the profile has no samples of type %q", t.Type)
	}
	out := &costs{functions: map[string]*cost{}}
	total, counted := 0.0, t.counted(at)
	for _, s := range t.Profile.Sample {
		total += float64(s.Value[at])
	}
	if total == 0 {
		return out, nil
	}
	for _, s := range t.Profile.Sample {
		if s.Value[at] != 0 {
			out.add(s, s.Value[at], counted(s), charge)
		}
	}
	for _, c := range out.functions {
		c.scale, c.exact, c.unshared = t.PerOp/total, t.Exact, 1
		if !t.Summed {
			c.unshared = max(1-c.sum/total, float64(max(t.Profile.Period, 1))/total)
		}
	}
	return out, nil
}

// counted says how often the profiler looked at what a sample stands for. Of memory it looks once in a while by bytes,
// which finds large objects more often than small ones: so says runtime/pprof, which has scaled the values already.
func (t Taken) counted(at int) func(*profile.Sample) float64 {
	period := float64(max(t.Profile.Period, 1))
	kind, memory := strings.CutSuffix(t.Type, "_objects")
	if !memory {
		kind, memory = strings.CutSuffix(t.Type, "_space")
	}
	column := func(name string) int {
		return slices.IndexFunc(t.Profile.SampleType, func(v *profile.ValueType) bool { return v.Type == kind+name })
	}
	objects, space := column("_objects"), column("_space")
	if !memory || objects < 0 || space < 0 {
		return func(s *profile.Sample) float64 { return math.Abs(float64(s.Value[at])) / period }
	}
	return func(s *profile.Sample) float64 {
		n := math.Abs(float64(s.Value[objects]))
		if n == 0 {
			return 0
		}
		return n * -math.Expm1(-math.Abs(float64(s.Value[space]))/n/period)
	}
}

// add charges a sample that stands for so many to the innermost function that charge names. Where a function recurs
// it is charged once.
func (c *costs) add(s *profile.Sample, value int64, counted float64, charge Charge) {
	var above []string
	var to *cost
	for _, loc := range s.Location { // the innermost first, and of a location what was inlined first
		for _, line := range loc.Line {
			f := line.Function
			if f == nil {
				continue
			}
			if to == nil && charge.Nobody(f.Name) {
				return
			}
			if !charge.To(f.Name) {
				continue
			}
			if len(above) == 0 || above[0] != f.Name {
				above = append([]string{f.Name}, above...)
			}
			if to != nil {
				continue
			}
			if to = c.functions[f.Name]; to == nil {
				to = &cost{file: fileOf(f), lines: map[int]float64{}}
				c.functions[f.Name] = to
			}
			to.sum += float64(value)
			if counted > 0 {
				to.variance += float64(value) * float64(value) / counted
			}
			to.lines[int(line.Line)] += float64(value)
		}
	}
	if to != nil && value > to.heaviest {
		to.heaviest, to.path = value, above
	}
}
