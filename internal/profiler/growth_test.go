package profiler

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/pprof/profile"
)

// sampled makes a CPU profile of a hundred samples a second. A stack is written the innermost frame first,
// function:line, with a bar between frames; an equals sign between those of one location, inlined first.
func sampled(t *testing.T, stacks map[string]int64) *profile.Profile {
	t.Helper()
	const period = 10_000_000
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		PeriodType: &profile.ValueType{Type: "cpu", Unit: "nanoseconds"}, Period: period,
	}
	functions := map[string]*profile.Function{}
	for stack, n := range stacks {
		s := &profile.Sample{Value: []int64{n, n * period}}
		for at := range strings.SplitSeq(stack, "|") {
			loc := &profile.Location{ID: uint64(len(p.Location) + 1)}
			p.Location = append(p.Location, loc)
			s.Location = append(s.Location, loc)
			for frame := range strings.SplitSeq(at, "=") {
				name, line, _ := strings.Cut(frame, ":")
				f := functions[name]
				if f == nil {
					f = &profile.Function{ID: uint64(len(functions) + 1), Name: name, Filename: "/src/x.go"}
					functions[name] = f
					p.Function = append(p.Function, f)
				}
				number := int64(0)
				for _, digit := range line {
					number = number*10 + int64(digit-'0')
				}
				loc.Line = append(loc.Line, profile.Line{Function: f, Line: number})
			}
		}
		p.Sample = append(p.Sample, s)
	}
	if err := p.CheckValid(); err != nil {
		t.Fatal(err)
	}
	return p
}

const bench = "ex.org/m.BenchmarkX:9"

func TestGrown(t *testing.T) {
	base := map[string]int64{
		"ex.org/m/in.leaf:20|ex.org/m.Do:11|" + bench:                  500,
		"runtime.memmove:1|ex.org/m.Do:12|" + bench:                    500,
		"runtime.scan:1|runtime.gcBgMarkWorker:1":                      1000,
		"ex.org/m.Do:12|" + bench:                                      2000,
		"strings.Index:7=ex.org/m/in.other:30|ex.org/m.Do:13|" + bench: 1000,
	}
	base["runtime.mallocgc:1|testing.(*B).Loop:5|"+bench] = 1000 // nobody's
	// leaf costs three times as much, by a line that was put in before the old one.
	head := map[string]int64{
		"ex.org/m/in.leaf:20|ex.org/m.Do:11|" + bench:                        1000,
		"runtime.asyncPreempt:1|ex.org/m/in.leaf:21|ex.org/m.Do:11|" + bench: 500,
		"runtime.memmove:1|ex.org/m.Do:12|" + bench:                          1000,
		"runtime.scan:1|runtime.gcBgMarkWorker:1":                            1000,
		"ex.org/m.Do:12|" + bench:                                            2000,
		"strings.Index:7=ex.org/m/in.other:30|ex.org/m.Do:13|" + bench:       1000,
	}
	head["runtime.mallocgc:1|testing.(*B).Loop:5|"+bench] = 1000
	sides := [2]Taken{{Profile: sampled(t, base), Type: "cpu", PerOp: 6}, {Profile: sampled(t, head), Type: "cpu", PerOp: 7.5}}
	near := cmpopts.EquateApprox(0, 1e-9)
	rough := cmpopts.IgnoreFields(Growth{}, "Err")
	path := []string{"ex.org/m.BenchmarkX", "ex.org/m.Do"}
	for _, tt := range []struct {
		name   string
		charge Charge
		want   []Growth
	}{
		{"own", Own("ex.org/m"), []Growth{
			{Function: "ex.org/m/in.leaf", File: "ex.org/m/in/x.go", Line: 20, Base: 0.5, Head: 1.5, Path: append(path[:2:2], "ex.org/m/in.leaf")},
			{Function: "ex.org/m.Do", File: "ex.org/m/x.go", Line: 12, Base: 2.5, Head: 3, Path: path},
		}},
		{"any", Any(), []Growth{
			{Function: "ex.org/m/in.leaf", File: "ex.org/m/in/x.go", Line: 20, Base: 0.5, Head: 1.5, Path: append(path[:2:2], "ex.org/m/in.leaf")},
			{Function: "runtime.memmove", File: "runtime/x.go", Line: 1, Base: 0.5, Head: 1, Path: append(path[:2:2], "runtime.memmove")},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Grown(sides[0], sides[1], tt.charge)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got, near, rough); d != "" {
				t.Error(d)
			}
			back, err := Grown(sides[1], sides[0], tt.charge)
			if err != nil {
				t.Fatal(err)
			}
			for i, g := range back { // the other way round it shrinks by the same
				w := tt.want[len(tt.want)-1-i]
				if g.Function != w.Function || math.Abs(g.Change()+w.Change()) > 1e-9 {
					t.Errorf("mirrored: %+v, want %+v", g, w)
				}
			}
		})
	}
}

// What sampling explains is not a growth: of a hundred samples fifty and sixty are the same.
func TestNoise(t *testing.T) {
	take := func(n int64) Taken {
		return Taken{Profile: sampled(t, map[string]int64{"a.F:1": n, "a.G:1": 100 - n}), Type: "cpu", PerOp: 1}
	}
	for _, tt := range []struct {
		base, head int64
		exact      bool
		want       int
	}{{50, 60, false, 0}, {50, 60, true, 2}, {50, 90, false, 2}, {50, 50, true, 0}, {99, 96, false, 0}} {
		base, head := take(tt.base), take(tt.head)
		base.Exact, head.Exact = tt.exact, tt.exact
		got, err := Grown(base, head, Any())
		if err != nil || len(got) != tt.want {
			t.Errorf("%d → %d, exact %v: %v, %v, want %d", tt.base, tt.head, tt.exact, got, err, tt.want)
		}
	}
}

func TestNoProfile(t *testing.T) {
	some := Taken{Profile: sampled(t, map[string]int64{"a.F:1": 1}), Type: "cpu", PerOp: 1}
	other := some
	other.Type = "alloc_space"
	for _, sides := range [][2]Taken{{{}, some}, {some, {}}, {some, other}} {
		if got, err := Grown(sides[0], sides[1], Any()); err == nil {
			t.Errorf("Grown = %v, want an error", got)
		}
	}
	empty := Taken{Profile: sampled(t, nil), Type: "cpu"}
	got, err := Grown(empty, empty, Any())
	if err != nil || len(got) != 0 {
		t.Errorf("of nothing: %v, %v", got, err)
	}
}

func TestFileOf(t *testing.T) {
	for want, f := range map[string]profile.Function{
		"ex.org/m/x.go":      {Name: "ex.org/m.F", Filename: "/home/me/m/x.go"},
		"ex.org/m/x_test.go": {Name: "ex.org/m_test.BenchmarkF", Filename: "ex.org/m/x_test.go"},
		"ex.org/a_test/x.go": {Name: "ex.org/a_test.F", Filename: `C:\src\a_test\x.go`},
		"runtime/malloc.go":  {Name: "runtime.mallocgc", Filename: "runtime/malloc.go"},
		"runtime/asm.s":      {Name: "aeshashbody", Filename: "/usr/local/go/src/runtime/asm.s"},
	} {
		if got := fileOf(&f); got != want {
			t.Errorf("fileOf(%v) = %q, want %q", f, got, want)
		}
	}
}

func TestPackageOf(t *testing.T) {
	for name, want := range map[string]string{
		"main.main":                              "main",
		"ex.org/m.F":                             "ex.org/m",
		"ex.org/m.(*T).F.func1":                  "ex.org/m",
		"ex.org/m_test.BenchmarkF":               "ex.org/m_test",
		"gopkg.in/yaml%2ev3.Marshal":             "gopkg.in/yaml.v3",
		"ex.org/m.F[...]":                        "ex.org/m",
		"ex.org/m.F[go.shape.*ex.org/other/p.T]": "ex.org/m",
		"runtime.(*mspan).base":                  "runtime",
		"":                                       "",
	} {
		if got := PackageOf(name); got != want {
			t.Errorf("PackageOf(%q) = %q, want %q", name, got, want)
		}
	}
	own := Own("ex.org/m", "ex.org/n")
	for name, want := range map[string]bool{
		"ex.org/m.F": true, "ex.org/m_test.F": true, "ex.org/n/a/b.F": true, "ex.org/mm.F": false, "runtime.F": false, "": false,
	} {
		if own.To(name) != want {
			t.Errorf("Own(%q) = %v", name, !want)
		}
	}
}

// TestAligned: what stood in its place costs what it cost, and what was put in costs all of it.
func TestAligned(t *testing.T) {
	line := func(ls ...float64) (out []lineCost) {
		for i := 0; i < len(ls); i += 2 {
			out = append(out, lineCost{int(ls[i]), ls[i+1]})
		}
		return out
	}
	for _, tt := range []struct {
		name       string
		base, head []lineCost
		want       map[int]float64
	}{
		{"the same", line(1, 5, 2, 7), line(1, 5, 2, 7), map[int]float64{1: 0, 2: 0}},
		{"moved", line(1, 5, 2, 7), line(11, 5, 12, 7), map[int]float64{11: 0, 12: 0}},
		{"put in before", line(1, 5, 2, 7), line(1, 5, 2, 3, 3, 7), map[int]float64{1: 0, 2: 3, 3: 0}},
		{"grown", line(1, 5, 2, 7), line(1, 5, 2, 9), map[int]float64{1: 0, 2: 2}},
		{"taken out", line(1, 5, 2, 7, 3, 2), line(1, 5, 2, 2), map[int]float64{1: 0, 2: 0}},
		{"new", nil, line(4, 2), map[int]float64{4: 2}},
		{"gone", line(4, 2), nil, map[int]float64{}},
	} {
		if d := cmp.Diff(tt.want, aligned(tt.base, tt.head)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}

// TestGrownSummed: where the samples are all that is known, a function that is all of it is as uncertain as they are.
func TestGrownSummed(t *testing.T) {
	one := func(n int64) *profile.Profile { return sampled(t, map[string]int64{"ex.org/m.Do:12|" + bench: n}) }
	for _, tt := range []struct {
		base, head int64
		summed     bool
		want       int
	}{{100, 150, true, 1}, {100, 140, true, 0}, {100, 140, false, 1}} {
		got, err := Grown(Taken{Profile: one(tt.base), Type: "cpu", PerOp: float64(tt.base), Summed: tt.summed}, Taken{Profile: one(tt.head), Type: "cpu", PerOp: float64(tt.head), Summed: tt.summed}, Own("ex.org/m"))
		if err != nil || len(got) != tt.want {
			t.Errorf("%+v: %+v, %v, want %d", tt, got, err, tt.want)
		}
	}
}

// TestGrownMemory: of memory so many were looked at as the objects' size has it, whichever is counted: 16 large ones of
// which each was seen say more than 1,000 small ones of which two were.
func TestGrownMemory(t *testing.T) {
	of := func(objects, size int64) *profile.Profile {
		p := sampled(t, map[string]int64{"ex.org/m.Do:12|" + bench: 1})
		p.SampleType = []*profile.ValueType{{Type: "alloc_objects", Unit: "count"}, {Type: "alloc_space", Unit: "bytes"}}
		p.PeriodType, p.Period = &profile.ValueType{Type: "space", Unit: "bytes"}, 512<<10
		p.Sample[0].Value = []int64{objects, objects * size}
		return p
	}
	for _, tt := range []struct {
		objects, size int64
		want          int
	}{{16, 8 << 20, 1}, {1000, 1 << 10, 0}, {10_000, 1 << 10, 1}} {
		for _, kind := range []string{"alloc_objects", "alloc_space"} {
			got, err := Grown(Taken{Profile: of(0, tt.size), Type: kind, Summed: true}, Taken{Profile: of(tt.objects, tt.size), Type: kind, PerOp: 1, Summed: true}, Own("ex.org/m"))
			if err != nil || len(got) != tt.want {
				t.Errorf("%d of %d bytes, %s: %+v, %v, want %d", tt.objects, tt.size, kind, got, err, tt.want)
			}
		}
	}
}
