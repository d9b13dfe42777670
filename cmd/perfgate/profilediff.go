package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/google/pprof/profile"

	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// maxProfile bounds the size of a profile that is read: it may come from a pull request.
const maxProfile = 256 << 20

// diffFlags are those of profile diff.
type diffFlags struct {
	*flags
	kind, own     string
	baseOps, head float64
	top           int
	asJSON        bool
}

// profileDiff says which functions cost more in one profile than in another.
func (a *app) profileDiff(ctx context.Context, args []string) error {
	f := &diffFlags{flags: newFlags("profile diff", "BASE.pprof HEAD.pprof")}
	f.set.StringVar(&f.kind, "type", "", "`TYPE` of samples, such as cpu, alloc_space or inuse_objects (default: the profile's own)")
	f.set.Float64Var(&f.baseOps, "base-ops", 1, "`N` operations that the base's profile is of")
	f.set.Float64Var(&f.head, "head-ops", 1, "`N` operations that the head's profile is of")
	f.set.StringVar(&f.own, "own", "", "`PATHS` of modules, separated by commas, whose functions are charged with what they call (default: the module here)")
	f.set.IntVar(&f.top, "top", 10, "`N` functions of each list; 0 for all")
	f.set.BoolVar(&f.asJSON, "json", false, "print the lists as JSON")
	if err := f.parse(a, args, 2); err != nil {
		return ignoreHelp(err)
	}
	switch {
	case !(f.baseOps > 0) || math.IsInf(f.baseOps, 0):
		return usagef("--base-ops %v: want more than 0", f.baseOps)
	case !(f.head > 0) || math.IsInf(f.head, 0):
		return usagef("--head-ops %v: want more than 0", f.head)
	case f.top < 0:
		return usagef("--top %d: want at least 0", f.top)
	}
	d, err := f.diff(ctx, a)
	if err != nil {
		return err
	}
	if f.asJSON {
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(d)
	}
	return d.draw(a)
}

// profileDelta is what profile diff prints. Costs are those of an operation, of the whole profile where nobody says of
// how many it is.
type profileDelta struct {
	Type string  `json:"type"`
	Unit string  `json:"unit"`
	Base float64 `json:"base"`
	Head float64 `json:"head"`
	// Own are one's own functions with what they call of others, Flat are any by their own code. The largest
	// changes come first, and those that sampling explains are left out.
	Own  []functionDelta `json:"own,omitempty"`
	Flat []functionDelta `json:"flat"`
}

type functionDelta struct {
	Function string   `json:"function"`
	File     string   `json:"file,omitempty"`
	Line     int      `json:"line,omitempty"`
	Base     float64  `json:"base"`
	Head     float64  `json:"head"`
	Path     []string `json:"path,omitempty"`
}

func (f *diffFlags) diff(ctx context.Context, a *app) (*profileDelta, error) {
	var sides [2]profiler.Taken
	d := new(profileDelta)
	for i, ops := range []float64{f.baseOps, f.head} {
		p, err := readPprof(f.set.Arg(i))
		if err != nil {
			return nil, err
		}
		if f.kind == "" {
			f.kind = p.DefaultSampleType
			if f.kind == "" {
				f.kind = p.SampleType[len(p.SampleType)-1].Type
			}
		}
		at := -1
		var kinds []string
		for j, t := range p.SampleType {
			kinds = append(kinds, t.Type)
			if t.Type == f.kind {
				at = j
			}
		}
		if at < 0 {
			return nil, usagef("--type %q: %s has %s", f.kind, f.set.Arg(i), strings.Join(kinds, ", "))
		}
		sides[i] = profiler.Taken{Profile: p, Type: f.kind, Summed: true}
		for _, s := range p.Sample {
			sides[i].PerOp += float64(s.Value[at]) / ops
		}
		d.Unit = p.SampleType[at].Unit
	}
	d.Type, d.Base, d.Head = f.kind, sides[0].PerOp, sides[1].PerOp
	own, err := f.modules(ctx, a)
	if err != nil {
		return nil, err
	}
	for _, list := range []struct {
		to     *[]functionDelta
		charge profiler.Charge
	}{{&d.Own, profiler.Own(own...)}, {&d.Flat, profiler.Any()}} {
		grown, err := profiler.Grown(sides[0], sides[1], list.charge)
		if err != nil {
			return nil, err
		}
		*list.to = f.largest(grown)
	}
	return d, nil
}

// modules are the import paths of one's own: those that were named, or the module that perfgate stands in.
func (f *diffFlags) modules(ctx context.Context, a *app) ([]string, error) {
	if f.own != "" {
		return strings.Split(f.own, ","), nil
	}
	cmd := exec.CommandContext(ctx, "go", "list", "-m")
	cmd.Env = a.childEnv()
	out, err := cmd.Output()
	if err != nil || ctx.Err() != nil { // outside of a module, or without Go, the flat list is what there is
		return nil, ctx.Err()
	}
	return strings.Fields(string(out)), nil
}

// largest are the changes that are asked for, the largest first whichever way they go.
func (f *diffFlags) largest(grown []profiler.Growth) []functionDelta {
	out := []functionDelta{}
	for from, to := 0, len(grown); from < to && (f.top == 0 || len(out) < f.top); {
		g := grown[from]
		if last := grown[to-1]; -last.Change() > g.Change() {
			g, to = last, to-1
		} else {
			from++
		}
		out = append(out, functionDelta{g.Function, g.File, g.Line, g.Base, g.Head, g.Path})
	}
	return out
}

// readPprof reads a profile as go test and pprof write it.
func readPprof(name string) (*profile.Profile, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxProfile {
		return nil, fmt.Errorf("%s: larger than %d MiB", name, maxProfile>>20)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	p, err := profile.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; want a profile of go test -cpuprofile or -memprofile, or of net/http/pprof", name, err)
	}
	if len(p.SampleType) == 0 {
		return nil, fmt.Errorf("%s: the profile has no samples of any type", name)
	}
	return p, nil
}

// draw prints the lists.
func (d *profileDelta) draw(a *app) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\tbase %s\thead %s\n", report.Inert(d.Type), d.cost(d.Base), d.cost(d.Head))
	for _, list := range []struct {
		title     string
		functions []functionDelta
	}{{"own functions with what they call", d.Own}, {"any function by its own code", d.Flat}} {
		if len(list.functions) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s\tbase\thead\tchange\twhere\n", list.title)
		for _, f := range list.functions {
			sign := "+"
			if f.Head < f.Base {
				sign = "−"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s%s\t%s:%d\n", report.Inert(f.Function), d.cost(f.Base), d.cost(f.Head), sign, d.cost(math.Abs(f.Head-f.Base)), report.Inert(filepath.Base(f.File)), f.Line)
		}
	}
	if len(d.Own)+len(d.Flat) == 0 {
		fmt.Fprintln(w, "no function changed by more than sampling explains")
	}
	return w.Flush()
}

// cost writes a cost in the profile's unit.
func (d *profileDelta) cost(v float64) string {
	switch d.Unit {
	case "nanoseconds":
		return report.Value(v/1e9, result.Unit{Name: "sec"})
	case "bytes":
		return report.Value(v, result.Unit{Name: "B"})
	}
	return report.Value(v, result.Unit{Name: report.Inert(d.Unit)})
}
