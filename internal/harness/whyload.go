package harness

import (
	"cmp"
	"context"
	"debug/buildinfo"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"
	"golang.org/x/mod/modfile"

	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/result"
)

// loadRecording records both sides of a program under load.
type loadRecording struct {
	r       *loadRunner
	t       *loadTarget
	sides   [2]taken
	built   [2]*buildinfo.BuildInfo
	missing string
}

// Explain says what the program asks more of its upstream, which of its spans take longer, and where profiles can be
// taken of it what grew by those: of its CPU time, and of all that it allocates, in samples of their own.
func (r *loadRunner) Explain(ctx context.Context, tt *Target, w Wish, keep func(string, []byte) (string, error)) (*result.Why, error) {
	t, why := r.target(tt), &result.Why{}
	if t.scenario.Differences != nil {
		why.Calls, why.Spans = t.scenario.Differences(Base.String(), Head.String())
	}
	if t.scenario.Record == nil {
		why.Missing = t.scenario.NoRecord
		return why, nil
	}
	for _, kind := range []string{CPUProfile, AllocsProfile} {
		p := &loadRecording{r: r, t: t}
		if err := p.record(ctx, kind, w.Change); err != nil {
			return why, err
		}
		if p.missing != "" {
			why.Missing = p.missing
			return why, nil
		}
		if err := explainKind(why, kind, "/run", p.sides, p.own(), keep); err != nil { // strangers wrote them
			why.Missing = "the profiles cannot be compared: " + clip(err.Error())
			return why, nil
		}
		p.place(why)
		why.Modules = modulesChanged(p.modules())
		if kind == AllocsProfile {
			var err error
			if why.Compiler, err = p.compiledOtherwise(ctx, why); err != nil {
				return why, err
			}
		}
	}
	return why, nil
}

// compiledOtherwise is what the compiler does otherwise to the functions that grew, where the program on both sides is a
// Go package of the tree that it was started in, and was built as it is compiled here. Nothing is said of others.
func (p *loadRecording) compiledOtherwise(ctx context.Context, why *result.Why) ([]result.Remark, error) {
	var tools [2]goTool
	for side, info := range p.built {
		if info == nil || info.Path != p.built[Base].Path || info.Path == commandLine || setting(info, "-gcflags") != "" {
			return nil, nil
		}
		tools[side] = goTool{env: proc.BuildEnv(p.r.suite.Environ, p.r.suite.PassEnv), tags: setting(info, "-tags")}
	}
	said, err := remarksOn(why, p.built[Head].Path, func(side Side, pkg string) (map[remark][]int, error) {
		return tools[side].compilerSays(ctx, p.r.suite.dirs()[side], pkg)
	})
	if err != nil && ctx.Err() == nil {
		return nil, nil // there is no Go here to compile it
	}
	return said, err
}

// setting is how a program was built, empty where nothing was said.
func setting(info *buildinfo.BuildInfo, key string) string {
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// commandLine is the path of a program that was built of files that were named.
const commandLine = "command-line-arguments"

// mostRounds is how often sides that use little CPU time are profiled to see something of it.
const mostRounds = 20

// record takes samples of both sides in turn: one of what is counted, and as many as the change needs of what is sampled.
func (p *loadRecording) record(ctx context.Context, kind string, change float64) error {
	share := 1.0
	if most := time.Duration(mostSec * float64(time.Second)); p.t.length > most {
		share = float64(most) / float64(p.t.length)
	}
	began := time.Now()
	for round := range mostRounds {
		order := []Side{Base, Head}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, side := range order {
			if err := p.one(ctx, side, &Recording{Kind: kind, Share: share, Length: time.Duration(share * float64(p.t.length))}); err != nil || p.missing != "" {
				return err
			}
		}
		if kind == AllocsProfile || p.enough(change, round+1) || time.Since(began).Seconds() > 2*mostSec {
			break
		}
	}
	return nil
}

// one takes a sample of a side.
func (p *loadRecording) one(ctx context.Context, side Side, rec *Recording) error {
	err := p.t.scenario.Record(ctx, p.r.suite.dirs()[side], rec)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		p.missing = "a profile of " + side.String() + " could not be taken: " + clip(err.Error())
	case rec.Missing != "":
		p.missing = "no profile of " + side.String() + ": " + clip(rec.Missing)
	default:
		s := &p.sides[side]
		s.profiles, s.iters = append(s.profiles, rec.Profile), s.iters+rec.Runs
		p.built[side] = cmp.Or(p.built[side], rec.Built)
	}
	return nil
}

// enough reports whether there are samples for the change, as profileTime has it, on both sides together: what got much
// slower has them on one. It is enough as well where further rounds would make no odds.
func (p *loadRecording) enough(change float64, rounds int) bool {
	want := 2 * fewestSec * profileRate
	if change > 0 {
		want = 2 * profileTime(change).Seconds() * profileRate
	}
	n := 0.0
	for _, s := range p.sides {
		for _, one := range s.profiles {
			if at := slices.IndexFunc(one.SampleType, func(v *profile.ValueType) bool { return v.Type == "cpu" }); at >= 0 {
				n += sumOf(one, at) / float64(max(one.Period, 1))
			}
		}
	}
	return n >= want || n*mostRounds < float64(rounds)*hopeless
}

// hopeless is a number of samples of which hardly a function has enough to be told from noise.
const hopeless = 50

// own charges samples to the program's own modules, without what it does to be profiled.
func (p *loadRecording) own() profiler.Charge {
	modules := []string{mainPackage}
	for side, info := range p.built {
		if info == nil { // it is gone, as after go run: the tree knows as well
			if data, err := os.ReadFile(filepath.Join(p.r.suite.dirs()[side], "go.mod")); err == nil {
				modules = append(modules, modfile.ModulePath(data))
			}
			continue
		}
		modules = append(modules, info.Main.Path)
		for _, m := range info.Deps {
			if m.Version == "(devel)" { // of the workspace
				modules = append(modules, m.Path)
			}
		}
	}
	modules = slices.DeleteFunc(append(modules, suspectModules(p.modules())...), func(m string) bool { return m == "" })
	charge := profiler.Own(modules...)
	charge.Nobody = func(function string) bool {
		return strings.HasPrefix(function, "runtime/pprof.") || strings.HasPrefix(function, "net/http/pprof.")
	}
	return charge
}

func (p *loadRecording) modules() (sides [2]linkedModules) {
	for side, info := range p.built {
		sides[side] = modulesOf(info)
	}
	return sides
}

// mainPackage is the path that the linker gives to the package of a program.
const mainPackage = "main"

// place puts the import path of the program in the place of the linker's.
func (p *loadRecording) place(why *result.Why) {
	info := cmp.Or(p.built[Head], p.built[Base])
	if info == nil || info.Path == commandLine {
		return
	}
	for _, list := range [][]result.Growth{why.Own, why.Any, why.Allocs} {
		for i, g := range list {
			if file, ok := strings.CutPrefix(g.File, mainPackage+"/"); ok && strings.HasPrefix(g.Function, mainPackage+".") {
				list[i].File = info.Path + "/" + file
			}
		}
	}
}

var _ explainer = (*loadRunner)(nil)
