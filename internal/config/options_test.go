package config

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fieldOf is what each option sets.
var fieldOf = map[string]func(*Config) any{
	"base":              func(c *Config) any { return c.Base },
	"against":           func(c *Config) any { return c.Against },
	"packages":          func(c *Config) any { return c.Packages },
	"bench":             func(c *Config) any { return c.Bench },
	"tags":              func(c *Config) any { return c.Tags },
	"budget":            func(c *Config) any { return c.Budget },
	"effect":            func(c *Config) any { return c.Effect },
	"gate":              func(c *Config) any { return c.Gate },
	"control":           func(c *Config) any { return c.Control },
	"metrics":           func(c *Config) any { return c.Metrics },
	"why":               func(c *Config) any { return c.Why },
	"counters":          func(c *Config) any { return c.Counters },
	"coverpkg":          func(c *Config) any { return c.CoverPackages },
	"strict":            func(c *Config) any { return c.Strict },
	"mock":              func(c *Config) any { return c.Mock },
	"prepare":           func(c *Config) any { return c.Prepare },
	"pass-env":          func(c *Config) any { return c.PassEnv },
	"timeout":           func(c *Config) any { return c.Timeout },
	"seed":              func(c *Config) any { return c.Seed },
	"reports-dir":       func(c *Config) any { return c.ReportsDir },
	"working-directory": func(c *Config) any { return c.WorkingDirectory },
}

// list is a value that is given in several texts.
type list []string

// goodValues are what an option accepts, and what it makes of it.
var goodValues = []struct {
	option string
	texts  list
	want   any
}{
	{"base", list{"HEAD~1"}, "HEAD~1"},
	{"base", list{" origin/main\n"}, "origin/main"},
	{"base", list{""}, ""},
	{"base", list{"a", "b"}, "b"}, // the last flag wins
	{"against", list{"base"}, Base},
	{"against", list{"baseline"}, Baseline},
	{"against", list{"both"}, Both},
	{"packages", list{"./a ./b\n./c", "./d/..."}, []string{"./a", "./b", "./c", "./d/..."}},
	{"bench", list{"^Encode$/size=[0-9/]+"}, "^Encode$/size=[0-9/]+"},
	{"bench", list{"."}, "."},
	{"tags", list{"integration,go1.26,a_b"}, "integration,go1.26,a_b"},
	{"tags", list{""}, ""},
	{"budget", list{"90s"}, 90 * time.Second},
	{"budget", list{"1h30m"}, 90 * time.Minute},
	{"budget", list{"300"}, 300 * time.Second}, // bare seconds
	{"budget", list{"0.5"}, 500 * time.Millisecond},
	{"budget", list{"1e2"}, 100 * time.Second},
	{"effect", list{"5%"}, 0.05},
	{"effect", list{" 5 % "}, 0.05},
	{"effect", list{"0.05"}, 0.05},
	{"effect", list{".1"}, 0.1},
	{"effect", list{"100%"}, 1.0},
	{"effect", list{"900%"}, 9.0},
	{"gate", list{"true"}, true},
	{"gate", list{"false"}, false},
	{"control", list{"true"}, true},
	{"control", list{"false"}, false},
	{"metrics", list{"all"}, AllMetrics},
	{"metrics", list{"exact"}, Exact},
	{"metrics", list{"times"}, Times},
	{"why", list{"regressions"}, Regressions},
	{"why", list{"all"}, AllBenchmarks},
	{"why", list{"none"}, None},
	{"counters", list{""}, []string(nil)},
	{"mock", list{"testdata/llm.yaml"}, "testdata/llm.yaml"},
	{"coverpkg", list{""}, []string(nil)},
	{"coverpkg", list{"example.com/a/...", "std encoding/json"}, []string{"example.com/a/...", "std", "encoding/json"}},
	{"counters", list{"instructions"}, []string{Instructions}},
	{"strict", list{"true"}, true},
	{"strict", list{"false"}, false},
	{"strict", list{"1"}, true},
	{"prepare", list{"go generate ./...\nmake"}, "go generate ./...\nmake"},
	{"prepare", list{"go generate ./...", "make"}, "go generate ./...\nmake"},
	{"prepare", list{"--anything goes"}, "--anything goes"}, // it is a script
	{"pass-env", list{"HOME _X1", "GOFLAGS"}, []string{"HOME", "_X1", "GOFLAGS"}},
	{"pass-env", list{""}, []string(nil)},
	{"timeout", list{"0"}, time.Duration(0)},
	{"timeout", list{"2m"}, 2 * time.Minute},
	{"seed", list{"42"}, uint64(42)},
	{"seed", list{"9007199254740991"}, uint64(1<<53 - 1)}, // JSON numbers are exact up to here
	{"reports-dir", list{"out/perf"}, "out/perf"},
	{"reports-dir", list{"a/../b"}, "a/../b"},
	{"working-directory", list{"../elsewhere"}, "../elsewhere"}, // any folder will do
}

// badValues are what an option refuses, and why.
var badValues = []struct {
	option string
	texts  list
	want   string
}{
	{"base", list{"--upload-pack=evil"}, "would be read as a flag"},
	{"base", list{" -x"}, "would be read as a flag"},
	{"against", list{"main"}, "want one of both, base, baseline"},
	{"against", list{""}, "want one of"},
	{"packages", list{"-exec=evil"}, `"-exec=evil" begins with a dash`},
	{"packages", list{"./a -race"}, `"-race" begins with a dash`},
	{"packages", list{" \n"}, "no pattern"},
	{"packages", list{}, "no pattern"},
	{"bench", list{"("}, "missing closing )"},
	{"bench", list{"Encode/["}, "missing closing ]"},
	{"tags", list{"a b"}, "separated by commas"},
	{"tags", list{"-race"}, "separated by commas"},
	{"budget", list{}, "want a duration"},
	{"budget", list{"soon"}, "want a duration such as 90s or 5m"},
	{"budget", list{"0"}, "more than nothing"},
	{"budget", list{"-1m"}, "not negative"},
	{"budget", list{"-5"}, "not negative"},
	{"budget", list{"NaN"}, "want a duration"},
	{"budget", list{"Inf"}, "want a duration"},
	{"budget", list{"1e300"}, "want a duration"},
	{"gate", list{"maybe"}, "want true or false"},
	{"control", list{"maybe"}, "want true or false"},
	{"metrics", list{"some"}, "want one of all, exact, times"},
	{"why", list{"always"}, "want one of regressions, all, none"},
	{"mock", list{"-x.yaml"}, `"-x.yaml" begins with a dash`},
	{"coverpkg", list{"std -o"}, `"-o" begins with a dash`},
	{"counters", list{"instructions", "cycles"}, "want one of instructions"},
	{"effect", list{"5"}, "without a percent sign it is a fraction; write 5%"},
	{"effect", list{"1"}, "without a percent sign it is a fraction; write 1%"},
	{"effect", list{"0%"}, "more than 0%"},
	{"effect", list{"0"}, "more than 0%"},
	{"effect", list{"-5%"}, "more than 0%"},
	{"effect", list{"901%"}, "at most 900%"},
	{"effect", list{"five"}, "want a percentage such as 5%"},
	{"effect", list{"NaN"}, "more than 0%"},
	{"effect", list{"NaN%"}, "more than 0%"},
	{"effect", list{""}, "want a percentage"},
	{"effect", list{"%"}, "want a percentage"},
	{"strict", list{"yes"}, "want true or false"},
	{"strict", list{""}, "want true or false"},
	{"pass-env", list{"HOME=/x"}, `"HOME=/x" is no variable's name`},
	{"pass-env", list{"A 1B"}, `"1B" is no variable's name`},
	{"pass-env", list{"A INPUT_TOKEN"}, `INPUT_TOKEN is the runner's own and may hold a token`},
	{"pass-env", list{"ACTIONS_RUNTIME_TOKEN"}, `ACTIONS_RUNTIME_TOKEN is the runner's own and may hold a token`},
	{"pass-env", list{"github_token"}, `github_token is the runner's own and may hold a token`},
	{"timeout", list{"-1s"}, "not negative"},
	{"timeout", list{"never"}, "want a duration"},
	{"seed", list{"-1"}, "want a whole number below 9007199254740992"},
	{"seed", list{"9007199254740992"}, "want a whole number"},
	{"seed", list{"1.5"}, "want a whole number"},
	{"reports-dir", list{"../out"}, "want a folder inside the project"},
	{"reports-dir", list{"/tmp"}, "want a folder inside the project"},
	{"reports-dir", list{"."}, "want a folder inside the project"},
	{"reports-dir", list{""}, "want a folder inside the project"},
	{"reports-dir", list{"a/../.."}, "want a folder inside the project"},
}

// given is a flag with such values.
func given(option string, texts list) Sources {
	return Sources{Flag: func(name string) ([]string, bool) { return texts, name == option }}
}

func TestGoodValues(t *testing.T) {
	for _, tt := range goodValues {
		c, err := Resolve(given(tt.option, tt.texts))
		if err != nil {
			t.Errorf("%s %q: %v", tt.option, tt.texts, err)
			continue
		}
		if diff := cmp.Diff(tt.want, fieldOf[tt.option](c)); diff != "" {
			t.Errorf("%s %q (-want +got):\n%s", tt.option, tt.texts, diff)
		}
	}
}

func TestBadValues(t *testing.T) {
	for _, tt := range badValues {
		_, err := Resolve(given(tt.option, tt.texts))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "--"+tt.option+" ") {
			t.Errorf("%s %q: %v, want an error with %q", tt.option, tt.texts, err, tt.want)
		}
	}
}

// TestOptions: the table is complete, and so are the tables above.
func TestOptions(t *testing.T) {
	free := map[string]bool{"prepare": true, "working-directory": true} // no text is wrong
	good, bad, seen := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, tt := range goodValues {
		good[tt.option] = true
	}
	for _, tt := range badValues {
		bad[tt.option] = true
	}
	for _, o := range Options {
		if seen[o.Name] || !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(o.Name) || o.Usage == "" || o.set == nil {
			t.Errorf("%+v: a name twice or of another form, or something is missing", o)
		}
		seen[o.Name] = true
		if !good[o.Name] || bad[o.Name] == free[o.Name] || fieldOf[o.Name] == nil {
			t.Errorf("%s: no test of good or of bad values", o.Name)
		}
		if want := "PERFGATE_" + strings.ToUpper(strings.ReplaceAll(o.Name, "-", "_")); o.Env() != want {
			t.Errorf("%s: environment variable %s, want %s", o.Name, o.Env(), want)
		}
		if found, ok := Find(o.Name); !ok || found.Name != o.Name {
			t.Errorf("Find(%s) = %+v, %v", o.Name, found, ok)
		}
	}
	if _, ok := Find("nonsense"); ok {
		t.Error("Find finds nonsense")
	}
}

// TestSeeds: 0 means a new seed, another one each time.
func TestSeeds(t *testing.T) {
	seen := map[uint64]bool{}
	for range 20 {
		c, err := Resolve(given("seed", list{"0"}))
		if err != nil || c.Seed == 0 {
			t.Fatalf("seed %d, %v", c.Seed, err)
		}
		seen[c.Seed] = true
	}
	if len(seen) < 15 {
		t.Errorf("20 seeds are %d different ones", len(seen))
	}
}

// TestSuites: what is run is the pull request's to say, what the outcome means is not.
func TestSuites(t *testing.T) {
	all := Values{}
	for i, name := range Names() {
		all[name] = Value{Texts: []string{"x"}, Position: Position{1 + i, 1}}
	}
	suites, others := all.Suites()
	if diff := cmp.Diff([]string{"base", "against", "effect", "metrics", "counters", "coverpkg", "strict", "pass-env", "reports-dir", "policies", "budgets", "waivers"}, others); diff != "" {
		t.Errorf("settings that judge (-want +got):\n%s", diff)
	}
	if len(suites)+len(others) != len(all) {
		t.Errorf("%d settings of suites and %d others, of %d", len(suites), len(others), len(all))
	}
	for _, name := range []string{"packages", "bench", "tags", "budget", "prepare"} {
		if diff := cmp.Diff(all[name], suites[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
