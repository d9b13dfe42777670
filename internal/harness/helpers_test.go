package harness

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/perfgate/internal/cache"
	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stdlib"
)

// write makes files below dir, the folders included.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// goOffline is a go command that asks nobody, with the caches of this machine.
func goOffline() goTool {
	return goTool{env: append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOTOOLCHAIN=local", "GOWORK=")}
}

// gateKnown is a cache that has room for one word, that the gate works: the first test tries it out for all of them.
// The tests that use it build side by side what the standard library is linked into.
var gateKnown = sync.OnceValues(func() (*cache.Store, error) {
	if _, err := stdlib.Compile(); err != nil {
		return nil, err
	}
	return cache.Open(context.Background(), cache.Config{Backend: "memory", MaxEntries: 4, MaxBytes: 1 << 10})
})

// knownGate is that cache, of a suite that builds its binaries itself.
func knownGate(t *testing.T) *cache.Store {
	t.Helper()
	kept, err := gateKnown()
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

// gitEnv is an environment in which git knows no configuration but ours.
func gitEnv(t *testing.T, home string) []string {
	t.Helper()
	write(t, home, map[string]string{".gitconfig": "[user]\n\tname = A Gopher\n\temail = gopher@example.com\n[init]\n\tdefaultBranch = main\n[commit]\n\tgpgSign = false\n"})
	const day = "2026-01-02T03:04:05Z"
	env := []string{"HOME=" + home, "GIT_CONFIG_NOSYSTEM=1", "GIT_CEILING_DIRECTORIES=" + filepath.Dir(home), "GIT_AUTHOR_DATE=" + day, "GIT_COMMITTER_DATE=" + day}
	return append(env, "PATH="+os.Getenv("PATH"), "TMPDIR="+os.TempDir())
}

// clone is a repository of a test's own.
type clone struct {
	t   *testing.T
	dir string
	env []string
}

// newClone makes an empty repository with the branch main.
func newClone(t *testing.T) *clone {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := &clone{t: t, dir: filepath.Join(dir, "repo"), env: gitEnv(t, filepath.Join(dir, "home"))}
	if err := os.Mkdir(c.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	c.git("init", "--quiet", "--initial-branch=main")
	return c
}

func (c *clone) git(args ...string) string {
	c.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit makes a commit that changes one file and returns its hash.
func (c *clone) commit(text string) string {
	c.t.Helper()
	write(c.t, c.dir, map[string]string{"file.txt": text})
	c.git("add", "--all")
	c.git("commit", "--quiet", "--message="+text)
	return c.git("rev-parse", "HEAD")
}

// cloned clones c with git's own options into a folder beside it.
func (c *clone) cloned(name string, args ...string) *clone {
	c.t.Helper()
	to := filepath.Join(filepath.Dir(c.dir), name)
	c.git(append(append([]string{"clone", "--quiet"}, args...), "file://"+filepath.ToSlash(c.dir), to)...)
	return &clone{t: c.t, dir: to, env: c.env}
}

// open opens the repository as perfgate does.
func (c *clone) open() *Repo {
	c.t.Helper()
	r, err := OpenRepo(c.t.Context(), c.dir, c.env)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// fakeRunner measures nothing: its benchmarks cost time of a synctest bubble.
type fakeRunner struct {
	targets []*Target
	// cost is the time of one pass of fewestPairs pairs, hidden what it really takes where that
	// differs, and later what it takes from the fourth on.
	cost, hidden, later map[string]time.Duration
	begin               map[string]time.Duration // the part of cost before the first pair
	// fail returns why a side fails in the n-th pass, empty where it does not.
	fail func(name string, side Side, n int) string
	// timeless ones suppress their time.
	timeless map[string]bool

	instructions string // the benchmarks whose instructions can be counted; empty where nobody asks

	log   []string // what was done, in order
	built []Build  // what each pass ran on
	links map[Build][]*Target
	taken map[string]int
	first map[string]string // the sides that went first, in letters
	err   error             // what Calibrate returns
}

func (r *fakeRunner) Targets() []*Target { return r.targets }
func (r *fakeRunner) Warnings() []string { return nil }
func (r *fakeRunner) Close() error       { r.say("close"); return nil }

func (r *fakeRunner) say(args ...any) {
	r.log = append(r.log, strings.TrimSpace(fmt.Sprintln(args...)))
}

func (r *fakeRunner) Sets() (base, head *result.Set) {
	var sets [2]result.Set
	for _, t := range r.targets {
		for side, b := range t.Bench {
			if b != nil {
				sets[side].Benchmarks = append(sets[side].Benchmarks, b)
			}
		}
	}
	return &sets[Base], &sets[Head]
}

func spend(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *fakeRunner) Calibrate(ctx context.Context, targets []*Target) error {
	for _, t := range targets {
		r.say("calibrate", t.Key.Name)
		if r.err != nil {
			return r.err
		}
		cost := r.cost[t.Key.Name] * time.Duration(t.sides()) / 2
		if err := spend(ctx, cost); err != nil {
			return err
		}
		t.Iters, t.Pairs, t.Cost, t.Begin = 100, fewestPairs, cost, r.begin[t.Key.Name]
	}
	return nil
}

func (r *fakeRunner) Pass(ctx context.Context, targets []*Target, build Build, rng *rand.Rand, take func(*Target, Reading)) error {
	r.built = append(r.built, build)
	for _, i := range rng.Perm(len(targets)) {
		t := targets[i]
		name := t.Key.Name
		r.say("pass", build, name, t.Pairs)
		cost := r.cost[name]
		if h, ok := r.hidden[name]; ok {
			cost = h
		}
		if l, ok := r.later[name]; ok && r.taken[name] >= 3 {
			cost = l
		}
		begin := r.begin[name]
		cost = begin + (cost-begin)*time.Duration(t.sides())/2*time.Duration(t.Pairs)/fewestPairs
		if err := spend(ctx, cost); err != nil {
			return err
		}
		r.taken[name]++
		take(t, r.read(t, cost, rng))
	}
	return nil
}

func (r *fakeRunner) Count(ctx context.Context, targets []*Target, take func(*Target, Reading)) error {
	for _, t := range targets {
		r.say("count", t.Key.Name)
		if err := spend(ctx, r.cost[t.Key.Name]); err != nil {
			return err
		}
		var got Reading
		for side, live := range t.Live {
			if live {
				got.Metrics[side] = []*result.Metric{{Unit: result.UnitOf(result.Statements), Samples: []result.Sample{{Value: 7, Iters: 10}}}}
			}
		}
		take(t, got)
	}
	return nil
}

func (r *fakeRunner) CountInstructions(ctx context.Context, targets []*Target, _ *rand.Rand, take func(*Target, Reading)) error {
	for _, t := range targets {
		if r.instructions == "" {
			continue
		}
		r.say("instructions", t.Key.Name)
		if err := spend(ctx, r.cost[t.Key.Name]); err != nil {
			return err
		}
		if !strings.Contains(r.instructions, t.Key.Name) {
			continue
		}
		var got Reading
		for side, live := range t.Live {
			if live {
				got.Metrics[side] = []*result.Metric{{Unit: result.UnitOf(result.Instructions), Samples: []result.Sample{{Value: 70, Iters: 10}}}}
			}
		}
		take(t, got)
	}
	return nil
}

func (r *fakeRunner) Control(ctx context.Context, targets []*Target, rng *rand.Rand, take func(*Target, Reading)) error {
	for _, t := range targets {
		r.say("control", t.Key.Name)
		if err := spend(ctx, t.Cost); err != nil {
			return err
		}
		take(t, Reading{Times: [2][]float64{{1, 1}, {1, 1}}, Wall: t.Cost})
	}
	return nil
}

// read makes up what a pass gives.
func (r *fakeRunner) read(t *Target, wall time.Duration, rng *rand.Rand) Reading {
	name := t.Key.Name
	got := Reading{Wall: wall, Begin: r.begin[name]}
	for _, side := range []Side{Base, Head} {
		if r.fail != nil && t.Live[side] {
			got.Failure[side] = r.fail(name, side, r.taken[name])
		}
	}
	if got.Failure != [2]string{} { // the other side's half is there
		for side, why := range got.Failure {
			if why == "" {
				got.Times[side] = []float64{1}
			}
		}
		return got
	}
	for range t.Pairs {
		got.First = append(got.First, Side(rng.IntN(2)))
		for side, live := range t.Live {
			if live && !r.timeless[name] {
				got.Times[side] = append(got.Times[side], 1)
			}
		}
	}
	if t.sides() == 2 {
		r.first[name] += firsts(got.First)
	}
	for side, live := range t.Live {
		if live {
			got.Metrics[side] = []*result.Metric{{Unit: result.UnitOf("allocs/op"), Samples: []result.Sample{{Value: 2, Iters: t.Iters}}}}
		}
	}
	return got
}

func (r *fakeRunner) Link(_ context.Context, build Build, targets []*Target) error {
	r.links[build] = targets
	r.say("link", build, strings.Join(namesOf(targets), " "))
	return nil
}

func (r *fakeRunner) Unlink(build Build) {
	delete(r.links, build)
	r.say("unlink", build)
}

func namesOf(targets []*Target) (names []string) {
	for _, t := range targets {
		names = append(names, t.Key.Name)
	}
	return names
}

// fakeSuite is prepared at once.
type fakeSuite struct {
	runner *fakeRunner
	err    error
}

func (s fakeSuite) Prepare(context.Context, *Budget, func(Event)) (Runner, error) {
	return s.runner, s.err
}

// newTarget makes a benchmark that both sides can run.
func newTarget(name string) *Target {
	t := &Target{Key: result.Key{Name: name}, Live: [2]bool{true, true}, MinPairs: fewestPairs, MaxPairs: 100}
	for side := range t.Bench {
		t.Bench[side] = &result.Benchmark{Name: name, Status: result.OK}
	}
	return t
}

// runnerOf makes benchmarks that cost the same, each in a package of its own.
func runnerOf(cost time.Duration, names ...string) *fakeRunner {
	r := &fakeRunner{cost: map[string]time.Duration{}, taken: map[string]int{}, links: map[Build][]*Target{}, first: map[string]string{}}
	for _, n := range names {
		t := newTarget(n)
		t.Key.Package = "example.com/" + n
		r.targets = append(r.targets, t)
		r.cost[n] = cost
	}
	return r
}

// fakeJudge routes by name. What it does not know is settled.
type fakeJudge struct {
	// routes is what a benchmark is found to be, once it has as many passes as from says.
	routes map[string]result.Route
	from   map[string]int
	suite  result.Route // what all together are found to be
	pairs  int          // of a pass; fewestPairs where zero
	passes int          // on a build; 1 where zero

	varies string              // the benchmark whose counts vary
	looks  map[string][]string // the passes at which it was looked at, with ! for the last time
	asked  []int               // suspects, at each call of Builds
	tuned  []int               // suspects, at each call of Passes
	begin  []float64           // of the passes that Pairs was asked for
}

const fakeBuilds = 5 // with one suspect

func (j *fakeJudge) Builds(k int) int {
	j.asked = append(j.asked, k)
	return fakeBuilds - 1 + k
}

func (j *fakeJudge) Pairs(_, _ *result.Benchmark, least int, begin float64) int {
	j.begin = append(j.begin, begin)
	return max(least, j.pairs)
}

func (j *fakeJudge) Passes(_, _ *result.Benchmark, suspects int) int {
	j.tuned = append(j.tuned, suspects)
	return max(1, j.passes)
}

func (j *fakeJudge) Counting(_, head *result.Benchmark, instructions bool, among int) bool {
	unit := result.Statements
	if instructions {
		unit = result.Instructions
	}
	return head.Name == j.varies && len(head.Metric(unit).Samples) < fakeCounted
}

const fakeCounted = 11 // passes of what varies

func (j *fakeJudge) Screen(base, head *result.Benchmark, last bool) result.Route {
	look := fmt.Sprint(passesOf(head))
	if last {
		look += "!"
	}
	if j.looks == nil {
		j.looks = map[string][]string{}
	}
	j.looks[head.Name] = append(j.looks[head.Name], look)
	route, known := j.routes[head.Name]
	switch {
	case last && route == result.Undecided, !known && passesOf(head) >= j.from[head.Name]:
		return result.Settled
	case passesOf(head) < j.from[head.Name] && !last:
		return result.Undecided
	}
	return route
}

func (j *fakeJudge) ScreenSuite(base, head *result.Set) result.Route { return j.suite }

// passesOf counts the first stage's passes.
func passesOf(b *result.Benchmark) int {
	if m := b.Metric("allocs/op"); m != nil {
		return len(m.Samples)
	}
	return 0
}

// newRand is a source of random numbers that repeats itself.
func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func measure(t *testing.T, r *fakeRunner, p Plan) *Measurement {
	t.Helper()
	m, err := Measure(t.Context(), fakeSuite{runner: r}, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
