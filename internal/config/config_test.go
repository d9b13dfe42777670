package config

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/compare"
)

// places are all sources of one setting, the strongest first.
type places struct {
	flag             []string
	input, env, file string
}

// sources has the option's texts in the places that are not empty.
func (p places) sources(o Option) Sources {
	s := Sources{
		Flag:   func(name string) ([]string, bool) { return p.flag, name == o.Name && p.flag != nil },
		Input:  func(name string) string { return map[string]string{o.Name: p.input}[name] },
		Getenv: func(name string) string { return map[string]string{o.Env(): p.env}[name] },
	}
	if p.file != "" {
		s.File = Values{o.Name: {Texts: []string{p.file}, Position: Position{7, 1}}}
	}
	return s
}

// TestPrecedence: flag, action input, environment, file, default, for every option.
func TestPrecedence(t *testing.T) {
	texts := map[string][4]string{ // four different good values
		"against": {Base, Baseline, Both, Base}, "strict": {"true", "false", "true", "false"}, "gate": {"false", "true", "false", "true"}, "control": {"false", "true", "false", "true"},
		"metrics":  {Exact, Times, AllMetrics, Exact},
		"why":      {None, AllBenchmarks, Regressions, None},
		"counters": {Instructions, Instructions + " " + Instructions, Instructions, Instructions + "  " + Instructions},
		"effect":   {"1%", "2%", "3%", "4%"}, "seed": {"1", "2", "3", "4"},
		"budget": {"1s", "2s", "3s", "4s"}, "timeout": {"1s", "2s", "3s", "4s"},
	}
	for _, o := range Options {
		v, ok := texts[o.Name]
		if !ok {
			v = [4]string{"a", "b", "c", "d"}
		}
		p := places{[]string{v[0]}, v[1], v[2], v[3]}
		checkOrigin(t, o, p, v[0], FromFlag)
		p.flag = nil
		if !o.NoInput { // else it is not looked at
			checkOrigin(t, o, p, v[1], FromInput)
			p.input = ""
		}
		checkOrigin(t, o, p, v[2], FromEnv)
		p.env = ""
		checkOrigin(t, o, p, v[3], FromFile)
		p.file = ""
		checkOrigin(t, o, p, o.Default, FromDefault)
	}
}

func checkOrigin(t *testing.T, o Option, p places, value string, origin Origin) {
	t.Helper()
	c, err := Resolve(p.sources(o))
	if err != nil {
		t.Errorf("%s from %s: %v", o.Name, origin, err)
		return
	}
	for _, s := range c.Settings() {
		want := Setting{s.Name, s.Value, FromDefault}
		if s.Name == o.Name {
			want = Setting{o.Name, value, origin}
		}
		if s != want {
			t.Errorf("%s from %s: %+v, want %+v", o.Name, origin, s, want)
		}
	}
}

// TestEmptyFlag: a flag that is given says something even when it says nothing; an empty input
// and an empty variable are how Actions leaves out what nobody set.
func TestEmptyFlag(t *testing.T) {
	o, _ := Find("base")
	checkOrigin(t, o, places{flag: []string{""}, input: "main"}, "", FromFlag)
	checkOrigin(t, o, places{input: "", env: "main"}, "main", FromEnv)
}

// TestDefaults: without any configuration everything is as documented.
func TestDefaults(t *testing.T) {
	c, err := Resolve(Sources{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Seed == 0 {
		t.Error("the seed is 0, which means that none was drawn")
	}
	got := *c
	got.Seed, got.origins, got.values = 0, nil, nil
	want := Config{Against: Both, Packages: []string{"./..."}, Bench: ".", Budget: 5 * time.Minute, Effect: 0.05, Gate: true, Control: true, Metrics: AllMetrics, Why: Regressions,
		ReportsDir: "perf_reports", WorkingDirectory: "."}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Config{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(compare.DefaultPolicy, c.Policy()); diff != "" {
		t.Errorf("the default policy (-want +got):\n%s", diff)
	}
}

func TestPolicy(t *testing.T) {
	c, err := Resolve(Sources{File: Values{"effect": {Texts: []string{"8%"}}, "strict": {Texts: []string{"true"}}}})
	if err != nil {
		t.Fatal(err)
	}
	want := compare.DefaultPolicy
	want.Effect, want.Strict = 0.08, true
	if diff := cmp.Diff(want, c.Policy()); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
}

// TestErrorPlaces: an error says where the bad value was given.
func TestErrorPlaces(t *testing.T) {
	o, _ := Find("effect")
	for want, p := range map[string]places{
		`--effect "5": without a percent sign it is a fraction; write 5%`:                  {flag: []string{"5"}},
		`input effect "5": without a percent sign it is a fraction; write 5%`:              {input: "5"},
		`PERFGATE_EFFECT "5": without a percent sign it is a fraction; write 5%`:           {env: "5"},
		`perfgate.yaml:7:1: effect "5": without a percent sign it is a fraction; write 5%`: {file: "5"},
	} {
		_, err := Resolve(p.sources(o))
		var known *Error // which is exit code 2
		if err == nil || err.Error() != want || !errors.As(err, &known) {
			t.Errorf("%+v: %v (%T), want %s", p, err, err, want)
		}
	}
}

// TestAllErrors: everything that is wrong is said at once.
func TestAllErrors(t *testing.T) {
	_, err := Resolve(Sources{File: Values{
		"effect": {Texts: []string{"5"}, Position: Position{1, 1}}, "budget": {Texts: []string{"soon"}, Position: Position{2, 1}}, "bench": {Texts: []string{"("}, Position: Position{3, 1}},
	}})
	for _, place := range []string{"perfgate.yaml:1:1: effect", "perfgate.yaml:2:1: budget", "perfgate.yaml:3:1: bench"} {
		if err == nil || !strings.Contains(err.Error(), place) {
			t.Errorf("%v does not name %s", err, place)
		}
	}
}
