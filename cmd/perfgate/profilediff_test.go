package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
)

// cpuProfile writes a profile in which main.run calls main.load and that the library, each so many milliseconds by
// its own code, in samples of 10 ms.
func cpuProfile(t *testing.T, name string, load, library int64) string {
	t.Helper()
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}}, Period: 10e6,
		PeriodType: &profile.ValueType{Type: "cpu", Unit: "nanoseconds"}}
	at := map[string]*profile.Location{}
	for i, fn := range []string{"example.com/m.run", "example.com/m.load", "example.com/library.Parse"} {
		f := &profile.Function{ID: uint64(i + 1), Name: fn, SystemName: fn, Filename: "/src/" + fn + ".go"}
		at[fn] = &profile.Location{ID: uint64(i + 1), Line: []profile.Line{{Function: f, Line: int64(10 * (i + 1))}}}
		p.Function, p.Location = append(p.Function, f), append(p.Location, at[fn])
	}
	run, own, lib := at["example.com/m.run"], at["example.com/m.load"], at["example.com/library.Parse"]
	for _, s := range []struct {
		ms    int64
		stack []*profile.Location
	}{{1000, []*profile.Location{run}}, {load, []*profile.Location{own, run}}, {library, []*profile.Location{lib, own, run}}} {
		p.Sample = append(p.Sample, &profile.Sample{Location: s.stack, Value: []int64{s.ms / 10, s.ms * 1e6}})
	}
	name = filepath.Join(t.TempDir(), name)
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := p.Write(f); err != nil {
		t.Fatal(err)
	}
	return name
}

func profileDiffed(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(append([]string{"profile", "diff"}, args...), nil, &out, &errs, os.Environ())
	return out.String(), errs.String(), code
}

// What a library grew by is charged to the function of one's own that calls it, and stands by itself as well.
func TestProfileDiff(t *testing.T) {
	base, head := cpuProfile(t, "base.pprof", 500, 500), cpuProfile(t, "head.pprof", 500, 2500)
	out, errs, code := profileDiffed(t, base, head, "--own", "example.com/m")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var got []string
	for line := range strings.Lines(out) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"cpu base 2.000s head 4.000s", "",
		"own functions with what they call base head change where", "example.com/m.load 1.000s 3.000s +2.000s m.load.go:20", "",
		"any function by its own code base head change where", "example.com/library.Parse 500.0ms 2.500s +2.000s library.Parse.go:30",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	out, errs, code = profileDiffed(t, base, head, "--own", "example.com/m", "--head-ops", "2", "--top", "1", "--json")
	var d profileDelta
	if err := json.Unmarshal([]byte(out), &d); code != exitOK || err != nil {
		t.Fatalf("exit %d: %v: %s", code, err, errs)
	}
	if d.Unit != "nanoseconds" || d.Head != 2e9 || len(d.Own) != 1 || len(d.Flat) != 1 || d.Flat[0].Function != "example.com/library.Parse" {
		t.Errorf("of two operations: %+v", d)
	}

	out, _, code = profileDiffed(t, base, base, "--type", "samples")
	if code != exitOK || !strings.Contains(out, "no function changed by more than sampling explains") {
		t.Errorf("exit %d: %s", code, out)
	}
	if _, errs, code = profileDiffed(t, base, head, "--type", "cpus"); code != exitUsage || !strings.Contains(errs, `--type "cpus": `+base+" has samples, cpu") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
