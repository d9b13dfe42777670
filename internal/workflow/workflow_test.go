package workflow

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite goldens")

// facts are those of a Go module, changed by a case.
func facts(change func(*Facts)) Facts {
	f := Facts{
		Release: Pin{"org/perfgate", "v1.2.3", strings.Repeat("0123456789", 4)},
		Branch:  "main", Dir: ".", Language: Go, System: Linux, Comment: CommentAll, GoVersionFile: "go.mod", Packages: 3,
	}
	change(&f)
	return f
}

// cases are the repositories that the goldens are for.
var cases = map[string]Facts{
	"go":  facts(func(*Facts) {}),
	"own": facts(func(f *Facts) { f.Comment, f.Dir, f.Branch = CommentOwn, "it's/deep", "trunk" }),
	"libraries": facts(func(f *Facts) {
		f.Comment, f.Libraries, f.Dir, f.GoVersionFile = CommentNone, []string{"sqlite3"}, "sub", "nested/go.mod"
	}),
	"windows": facts(func(f *Facts) { f.System = Windows }),
	"python": facts(func(f *Facts) {
		f.Language, f.GoVersionFile, f.Packages = Python, "", 0
		f.Program = []string{".venv/bin/python", "agent.py", "--name", "it's: #1"}
		f.Prepare = []string{"python3 -m venv .venv", ".venv/bin/pip install --quiet --requirement requirements.txt"}
	}),
	"node": facts(func(f *Facts) {
		f.Language, f.GoVersionFile, f.Packages = Node, "", 0
		f.Program, f.Prepare = []string{"node", "agent.mjs"}, []string{"npm ci"}
	}),
}

// made are the files of a case.
func made(t *testing.T, f Facts) []File {
	t.Helper()
	files, err := Files(f)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestFiles(t *testing.T) {
	for name, f := range cases {
		t.Run(name, func(t *testing.T) {
			a := &txtar.Archive{}
			for _, file := range made(t, f) {
				a.Files = append(a.Files, txtar.File{Name: file.Path, Data: file.Text})
			}
			got := txtar.Format(a)
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, got, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("files differ from %s; rewrite it with -update (-want +got):\n%s", golden, diff)
			}
		})
	}
}

// flow is the part of a workflow that has to be safe.
type flow struct {
	On          any
	Permissions *map[string]string
	Concurrency map[string]any
	Jobs        map[string]job
}

type job struct {
	RunsOn      string `yaml:"runs-on"`
	Timeout     int    `yaml:"timeout-minutes"`
	Permissions map[string]string
	Steps       []struct {
		Uses, Run string
		With      map[string]any
		Env       map[string]string
	}
}

// Every workflow that init writes is safe in the ways that can be read off it.
func TestWorkflows(t *testing.T) {
	for name, f := range cases {
		for _, file := range made(t, f) {
			if strings.HasSuffix(file.Path, Config) {
				continue
			}
			t.Run(name+"/"+filepath.Base(file.Path), func(t *testing.T) {
				for _, problem := range unsafe(t, file.Text, f.Release, f.SetupPin()) {
					t.Error(problem)
				}
			})
		}
	}
}

// unsafe lists what is wrong with a workflow. own are pins beside the table's.
func unsafe(t *testing.T, text []byte, own ...Pin) (problems []string) {
	t.Helper()
	var w flow
	if err := yaml.UnmarshalWithOptions(text, &w); err != nil {
		return []string{err.Error()}
	}
	if w.Permissions == nil || len(*w.Permissions) > 0 {
		problems = append(problems, "permissions at the top are not {}")
	}
	if len(w.Concurrency) == 0 {
		problems = append(problems, "no concurrency group")
	}
	if len(w.Jobs) == 0 {
		problems = append(problems, "no jobs")
	}
	for name, j := range w.Jobs {
		for _, p := range j.unsafe() {
			problems = append(problems, "job "+name+": "+p)
		}
	}
	problems = append(problems, w.poisonable()...)
	return append(problems, unpinned(text, own...)...)
}

// events are what starts the workflow.
func (w flow) events() (names []string) {
	switch on := w.On.(type) {
	case string:
		return []string{on}
	case map[string]any:
		return slices.Sorted(maps.Keys(on))
	}
	return nil
}

// poisonable lists what a stranger's run could reach a trusted one by: its events, where only a job without code may
// run after a stranger's workflow, and caches that a pull request may have filled.
func (w flow) poisonable() (problems []string) {
	events := w.events()
	if len(events) == 0 {
		problems = append(problems, "it starts by nothing that is known")
	}
	for _, e := range events {
		if !slices.Contains([]string{"pull_request", "push", "schedule", "workflow_dispatch", "workflow_run"}, e) {
			problems = append(problems, "event "+e)
		}
	}
	for name, j := range w.Jobs {
		for _, s := range j.Steps {
			action, _, _ := strings.Cut(s.Uses, "@")
			switch caches := action == "actions/cache" || action == "actions/setup-go" && s.With["cache"] != false; {
			case slices.Contains(events, "workflow_run") && (s.Run != "" || action == "actions/checkout" || action == "actions/download-artifact"):
				problems = append(problems, "job "+name+": after a stranger's workflow it has code or files of somebody's")
			case caches && slices.Equal(events, []string{"pull_request"}):
			case caches && (j.writes() || !slices.Contains(events, "pull_request")):
				problems = append(problems, "job "+name+": it restores a cache")
			}
		}
	}
	return problems
}

func (j job) writes() bool {
	for _, right := range j.Permissions {
		if right == "write" {
			return true
		}
	}
	return false
}

func (j job) unsafe() (problems []string) {
	if j.Timeout == 0 {
		problems = append(problems, "no timeout-minutes")
	}
	if len(j.Permissions) == 0 {
		problems = append(problems, "no permissions")
	}
	writes := j.writes()
	for _, s := range j.Steps {
		if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != false {
			problems = append(problems, "a checkout keeps its credentials")
		}
		if strings.Contains(s.Run, "${{") {
			problems = append(problems, "an expression in a script: "+s.Run)
		}
		if writes && (s.Run != "" || strings.HasPrefix(s.Uses, "actions/checkout@")) {
			problems = append(problems, "it may write, and has the repository's code or runs a command")
		}
	}
	return problems
}

// usesLine is a step's action with the comment behind it.
var usesLine = regexp.MustCompile(`(?m)^\s*(?:- )?uses: (.+)$`)

// unpinned lists the actions of a workflow that are neither local nor as in the table.
func unpinned(text []byte, own ...Pin) (problems []string) {
	for _, m := range usesLine.FindAllSubmatch(text, -1) {
		uses := string(m[1])
		if strings.HasPrefix(uses, "./") || slices.ContainsFunc(slices.Concat(Pins, own), func(p Pin) bool { return p.String() == uses }) {
			continue
		}
		problems = append(problems, "not as in Pins: "+uses)
	}
	return problems
}

// Workflows of this repository use the table's pins and no others, and every pin is used.
func TestOwnWorkflows(t *testing.T) {
	names, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no workflows: %v", err)
	}
	var all [][]byte
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
		for _, problem := range unpinned(text) {
			t.Errorf("%s: %s", filepath.Base(name), problem)
		}
		var w flow
		if err := yaml.Unmarshal(text, &w); err != nil {
			t.Fatal(err)
		}
		if w.Permissions == nil || len(*w.Permissions) > 0 {
			t.Errorf("%s: permissions at the top are not {}", filepath.Base(name))
		}
		for _, problem := range w.poisonable() {
			t.Errorf("%s: %s", filepath.Base(name), problem)
		}
		if len(w.Concurrency) == 0 || bytes.Contains(text, []byte("secrets.")) || bytes.Contains(text, []byte("secrets: inherit")) {
			t.Errorf("%s: no concurrency group, or a secret", filepath.Base(name))
		}
		for job, j := range w.Jobs {
			if j.Timeout == 0 || len(j.Permissions) == 0 {
				t.Errorf("%s: job %s: no timeout-minutes, or no permissions of its own", filepath.Base(name), job)
			}
			for _, s := range j.Steps {
				if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != false {
					t.Errorf("%s: job %s: a checkout keeps its credentials", filepath.Base(name), job)
				}
				if strings.Contains(s.Run, "${{") {
					t.Errorf("%s: job %s: an expression in a script: %s", filepath.Base(name), job, s.Run)
				}
			}
		}
	}
	for _, f := range cases {
		for _, file := range made(t, f) {
			all = append(all, file.Text)
		}
	}
	for _, p := range Pins {
		if !bytes.Contains(bytes.Join(all, nil), []byte(p.String())) {
			t.Errorf("%s is pinned and used nowhere", p.Action)
		}
	}
}

// The pins are commits and full versions, in order, one for an action.
func TestPins(t *testing.T) {
	for i, p := range Pins {
		if !regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(p.Commit) || !regexp.MustCompile(`^v\d+\.\d+\.\d+$`).MatchString(p.Version) {
			t.Errorf("%v: want a commit and a full version", p)
		}
		if i > 0 && Pins[i-1].Action >= p.Action {
			t.Errorf("%s is not behind %s in the alphabet", p.Action, Pins[i-1].Action)
		}
	}
	if p, err := pinned("actions/nosuch"); err == nil {
		t.Errorf("pinned(actions/nosuch) = %v, want an error", p)
	}
}
