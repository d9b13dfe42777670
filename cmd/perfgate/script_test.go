package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/org/perfgate/internal/parse"
	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stdlib"
)

// scriptsAtOnce is how many scripts run side by side. Their benchmarks sleep, so that a script that
// measures leaves the machine to the others.
const scriptsAtOnce = "4"

// cacheHome is the scripts' cache of what is the same for all of them: that the gate works.
var cacheHome string

// TestMain makes this test binary the perfgate of the scripts.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", scriptsAtOnce); err != nil { // a -parallel on the command line wins
		panic(err)
	}
	testscript.Main(tests{m}, map[string]func(){"perfgate": main, "modelserver": modelserver, "marker": marker})
}

// tests are all tests, with a cache for the scripts.
type tests struct{ m *testing.M }

func (t tests) Run() int {
	dir, err := os.MkdirTemp("", "perfgate-cache-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	cacheHome = dir
	return t.m.Run()
}

// TestScript runs testdata/script/<command>_<case>.txtar: the specification of the commands. The
// scripts use, beyond testscript's own commands:
//
//	exits CODE PROGRAM ARG...   run a program, which must exit with that code
//	commit MESSAGE              make a repository here where there is none, and commit everything
//	lay DIR                     copy the files below DIR over those here
//	edit FILE OLD NEW           replace a text, which must be there
//	github STATE                serve GitHub's API from now on, with what the JSON file says, as GITHUB_API_URL
//	asked FILE                  write what that server holds and was asked to a JSON file
//	revision NAME COMMIT        set a variable to a commit's hash
//	expand FILE                 put the values of variables into a file
//	zipped FILE...              make the variable ZIP an archive of the files, in Base64
//	json FILE [PATH=VALUE...]   FILE is one JSON value; at the dotted path stands the value
//	only PROGRAM...             take all other programs, as far as there are such, out of PATH
//	port NAME...                set each variable to an address on loopback that nobody listens on
//	recount FILE UNIT VALUE     replace a count of a result file's control
//	remedy                      run the command that the last standard error advises
//	stored FILE HEAD [BASE]     make a result file as check would, from `go test -bench` outputs
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup:               setup,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     plain("exits CODE PROGRAM ARG...", 2, exits),
			"commit":    plain("commit MESSAGE", 1, commit),
			"lay":       plain("lay DIR", 1, lay),
			"elsewhere": plain("elsewhere FILE", 1, elsewhere),
			"edit":      plain("edit FILE OLD NEW", 3, edit),
			"github":    plain("github STATE", 1, serveGitHub),
			"zipped":    plain("zipped FILE...", 1, zipped),
			"revision":  plain("revision NAME COMMIT", 2, revision),
			"expand":    plain("expand FILE", 1, expand),
			"asked":     plain("asked FILE", 1, asked),
			"addup":     plain("addup", 0, addUp),
			"json":      plain("json FILE [PATH=VALUE...]", 1, checkJSON),
			"only":      plain("only PROGRAM...", 1, only),
			"port":      plain("port NAME...", 1, port),
			"recount":   plain("recount FILE UNIT VALUE", 3, recount),
			"remedy":    plain("remedy", 0, remedy),
			"stored":    plain("stored FILE HEAD [BASE]", 2, stored),
		},
	})
}

// plain makes a script command that cannot be negated and wants so many arguments at least.
func plain(usage string, atLeast int, run func(*testscript.TestScript, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < atLeast {
			ts.Fatalf("usage: %s", usage)
		}
		run(ts, args)
	}
}

// condition knows [long]: all tests together stay under two minutes, so the scripts that take longest, whose parts have
// tests of their own, run where the environment asks for them, as in .ci/run.
func condition(name string) (bool, error) {
	if name != "long" {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	return long(), nil
}

func long() bool { return os.Getenv("PERFGATE_TEST_LONG") != "" }

// goDirs are the real caches: builds in scripts find the standard library compiled.
var goDirs = sync.OnceValues(func() ([]string, error) {
	cache, err := stdlib.Compile()
	if err != nil {
		return nil, err
	}
	modules, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	return []string{"GOCACHE=" + cache, "GOMODCACHE=" + strings.TrimSpace(string(modules))}, nil
})

// setup gives a script a home and an environment of its own. Of the real one only the Go caches
// and PATH are there: no GITHUB_*, no user's git or Go configuration.
func setup(env *testscript.Env) error {
	home, vars, err := isolate(env.WorkDir)
	if err != nil {
		return err
	}
	env.Setenv("HOME", home)
	env.Setenv("USERPROFILE", home)
	env.Vars = append(env.Vars, vars...)
	// What scripts assert is exact: times must not keep them busy, least of all with confirming that
	// one more allocation takes longer.
	env.Setenv("PERFGATE_EFFECT", "900%")
	env.Setenv("PERFGATE_METRICS", "times")
	env.Setenv("PERFGATE_WHY", "none")      // profiles take time, too
	env.Setenv("PERFGATE_CONTROL", "false") // has scripts of its own: seconds in each would be minutes
	return nil
}

// gitConfig is the user's git configuration in scripts.
const gitConfig = `[user]
	name = A Gopher
	email = gopher@example.com
[init]
	defaultBranch = main
[commit]
	gpgSign = false
[advice]
	detachedHead = false
`

// isolate makes a home below dir and returns the variables to go with it.
func isolate(dir string) (home string, vars []string, err error) {
	home = filepath.Join(dir, ".home")
	files := map[string]string{
		".gitconfig": gitConfig,
		// The go command must not leave a telemetry process behind that writes to a removed home.
		".config/go/telemetry/mode":                     "off",
		"Library/Application Support/go/telemetry/mode": "off",
	}
	for name, text := range files {
		name = filepath.Join(home, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return "", nil, err
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			return "", nil, err
		}
	}
	dirs, err := goDirs()
	const day = "2026-01-02T03:04:05Z"
	return home, append([]string{
		"GOFLAGS=", "GOPROXY=off", "GOTOOLCHAIN=local", "GOENV=off", "GOWORK=", "XDG_CACHE_HOME=" + cacheHome,
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CEILING_DIRECTORIES=" + dir, "GIT_AUTHOR_DATE=" + day, "GIT_COMMITTER_DATE=" + day,
	}, dirs...), err
}

// exits runs a program and compares its exit code, which testscript alone cannot.
func exits(ts *testscript.TestScript, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// only makes PATH a folder with nothing but the programs.
func only(ts *testscript.TestScript, programs []string) {
	dir := ts.MkAbs(".only")
	ts.Check(os.Mkdir(dir, 0o777))
	for _, folder := range filepath.SplitList(ts.Getenv("PATH")) {
		for _, p := range programs {
			if _, err := os.Stat(filepath.Join(folder, p)); err != nil {
				continue
			}
			if err := os.Symlink(filepath.Join(folder, p), filepath.Join(dir, p)); !errors.Is(err, fs.ErrExist) {
				ts.Check(err)
			}
		}
	}
	ts.Setenv("PATH", dir)
}

func commit(ts *testscript.TestScript, args []string) {
	if _, err := os.Stat(ts.MkAbs(".git")); err != nil {
		ts.Check(ts.Exec("git", "init", "--quiet", "--initial-branch=main"))
	}
	ts.Check(ts.Exec("git", "add", "--all"))
	ts.Check(ts.Exec("git", "commit", "--quiet", "--message", args[0]))
}

func lay(ts *testscript.TestScript, args []string) {
	from, to := ts.MkAbs(args[0]), ts.MkAbs(".")
	files := 0
	ts.Check(filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		name := filepath.Join(to, rel)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return err
		}
		return os.WriteFile(name, data, 0o666)
	}))
	if files == 0 {
		ts.Fatalf("no files below %s", from)
	}
}

func edit(ts *testscript.TestScript, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o666))
}

func checkJSON(ts *testscript.TestScript, args []string) {
	var doc any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &doc); err != nil {
		ts.Fatalf("%s is not JSON: %v", args[0], err)
	}
	for _, want := range args[1:] {
		path, value, ok := strings.Cut(want, "=")
		if !ok {
			ts.Fatalf("%q is not of the form PATH=VALUE", want)
		}
		if got := fmt.Sprint(at(doc, path)); got != value {
			ts.Fatalf("%s: %s = %s, want %s", args[0], path, got, value)
		}
	}
}

// at follows a dotted path of keys and indices. It returns nil where the path ends.
func at(doc any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		switch v := doc.(type) {
		case map[string]any:
			doc = v[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			doc = v[i]
		default:
			return nil
		}
	}
	return doc
}

// advised is a command that an error message ends with.
var advised = regexp.MustCompile(`(?m); run: (git [\w =./-]+)$`)

func remedy(ts *testscript.TestScript, _ []string) {
	m := advised.FindStringSubmatch(ts.ReadFile("stderr"))
	if m == nil {
		ts.Fatalf("standard error advises no git command")
	}
	args := strings.Fields(m[1])
	ts.Check(ts.Exec(args[0], args[1:]...))
}

// stored writes a file of schema 2 with fixed provenance. Samples of the two sides are pairs.
func stored(ts *testscript.TestScript, args []string) {
	f := &result.File{
		Tool: result.Tool{Name: "perfgate", Version: "v1.2.3"}, Seed: 7,
		GeneratedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	var sets []*result.Set
	for _, name := range args[1:] {
		r, err := parse.GoBench(strings.NewReader(ts.ReadFile(name)), name, parse.GoOptions{})
		ts.Check(err)
		for _, b := range r.Set.Benchmarks {
			for _, m := range b.Metrics {
				for i := range m.Samples {
					m.Samples[i].Pair = i
				}
				m.Confirm = slices.Clone(m.Samples) // a second stage that agrees
			}
		}
		sets = append(sets, r.Set)
	}
	f.Head = sets[0]
	f.Head.Commit, f.Head.Ref = strings.Repeat("b", 40), "work tree"
	if len(sets) > 1 {
		f.Base, f.Pairing = sets[1], result.Passes
		f.Base.Commit, f.Base.Ref = strings.Repeat("a", 40), "HEAD~1"
	}
	var out bytes.Buffer
	ts.Check(f.Write(&out))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out.Bytes(), 0o666))
}

// TestScriptNames: every command of the table has a script for help, and the names of scripts
// begin with a command.
func TestScriptNames(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, s := range scripts {
		name, _, ok := strings.Cut(filepath.Base(s), "_")
		if _, known := find(name); !ok || !known {
			t.Errorf("%s is not named <command>_<case>.txtar", s)
		}
		seen[name] = true
	}
	want := map[string]bool{}
	for _, c := range commands {
		want[c.name] = true
	}
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("commands with scripts = %v, want %v", seen, want)
	}
}

// elsewhere makes a result file that of another machine.
func elsewhere(ts *testscript.TestScript, args []string) {
	rewrite(ts, args[0], func(f *result.File) {
		f.Head.Env.CPU, f.Head.Env.Cores, f.Head.Env.Kernel, f.Head.Env.GOMAXPROCS = "another", 96, "9.9", 96
	})
}

func recount(ts *testscript.TestScript, args []string) {
	v, err := strconv.ParseFloat(args[2], 64)
	ts.Check(err)
	rewrite(ts, args[0], func(f *result.File) {
		m := f.Head.Control.Metric(args[1])
		for i := range m.Samples {
			m.Samples[i].Value = v
		}
	})
}

// rewrite changes a result file, whose hash is right again.
func rewrite(ts *testscript.TestScript, name string, change func(*result.File)) {
	name = ts.MkAbs(name)
	data, err := os.ReadFile(name)
	ts.Check(err)
	f, err := result.Read(bytes.NewReader(data))
	ts.Check(err)
	change(f)
	var out bytes.Buffer
	ts.Check(f.Write(&out))
	ts.Check(os.WriteFile(name, out.Bytes(), 0o666))
}
