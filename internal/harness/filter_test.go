package harness

import (
	"flag"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fixture is what benchmarks a program has: the functions, and below each its sub-benchmarks.
var fixture = []struct {
	name string
	subs []string
}{
	{"Encode", []string{"json", "xml", "json#01", "a/b"}},
	{"EncodeAll", nil},
	{"Decode", []string{"json/small", "json/large"}},
	{"Hostile", []string{`X/|<script>##[error]::set-output`, "with space", `re(ge)x[a-c]+$`, `back\slash`, "ümlaut", "tab\there", "100%"}},
	{"X", nil},
	{"", nil},
}

// chosen are the names, without "Benchmark", of what package testing itself measures for a -bench
// expression. One that it only looks into for sub-benchmarks runs once; what it measures, twice.
func chosen(t *testing.T, expr string) []string {
	t.Helper()
	for name, value := range map[string]string{"test.bench": expr, "test.benchtime": "2x", "test.count": "1"} {
		f := flag.Lookup(name)
		old := f.Value.String()
		defer f.Value.Set(old)
		if err := f.Value.Set(value); err != nil {
			t.Fatal(err)
		}
	}
	stdout := os.Stdout
	defer func() { os.Stdout = stdout }()
	var err error
	if os.Stdout, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Stdout.Close()
	names := []string{}
	note := func(b *testing.B) {
		if b.N == 2 {
			names = append(names, b.Name()[len("Benchmark"):])
		}
	}
	var all []testing.InternalBenchmark
	for _, f := range fixture {
		all = append(all, testing.InternalBenchmark{Name: "Benchmark" + f.name, F: func(b *testing.B) {
			for _, s := range f.subs {
				b.Run(s, note)
			}
			if len(f.subs) == 0 {
				note(b)
			}
		}})
	}
	testing.RunBenchmarks(func(pat, str string) (bool, error) { return regexp.MatchString(pat, str) }, all)
	return names
}

// functions are the top-level names of the fixture.
func functions() (names []string) {
	for _, f := range fixture {
		names = append(names, f.name)
	}
	return names
}

// Filter agrees with package testing on what an expression selects, and so does what it makes
// of it for some of the functions.
func TestFilter(t *testing.T) {
	everything := chosen(t, ".")
	if len(everything) != 16 {
		t.Fatalf("package testing has %q, want 16 benchmarks", everything)
	}
	for _, expr := range []string{
		".", "", "Encode", "Encode$", "^BenchmarkEncode$", "encode", "(?i)ENCODE",
		"Encode/json", "Encode/json$", "Encode/^json$", "Encode/a", "Encode/a/b", "Encode/a/c", "/json", "/json/", "/json/small",
		"Decode/json/small", "Decode/json/small/tiny", "Decode//small", "Encode|Decode/json/large", "Decode/json/large|Encode",
		"Encode/json|X", "X/deeper", "X/deeper|X", "X|X/deeper", "|Nothing", "Nothing|", "Nothing", "Nothing/json",
		"(Encode|Decode)/json", "Encode/(json|xml)", "Encode/[j/x]", "Hostile/[/|]", "Encode/j[a-z|]on", "Encode/x(m|/)l",
		`Hostile/re\(ge\)x\[a-c\]\+\$`, `Hostile/X/\|<script>`, `Hostile/X/[|]`, `Hostile/X/\\?`, "Hostile/with space", "Hostile/with_space",
		`Hostile/back\\slash`, "Hostile/ü", `Hostile/tab`, "Hostile/100%", "Encode/[]j]", "Encode/]|X", "^Benchmark$",
	} {
		want := chosen(t, expr)
		f, err := NewFilter(expr)
		if expr == "" { // go test runs none; perfgate's default is all
			want = everything
		}
		if err != nil {
			t.Errorf("NewFilter(%q): %v", expr, err)
			continue
		}
		got := []string{}
		for _, name := range everything {
			if f.Match(name) {
				got = append(got, name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-bench %q: Match differs from package testing (-testing +Filter):\n%s", expr, diff)
		}
		if top := f.top(functions()); len(top) > 0 {
			if diff := cmp.Diff(want, chosen(t, f.only(top))); diff != "" {
				t.Errorf("-bench %q: only(%q) = %q selects otherwise (-want +got):\n%s", expr, top, f.only(top), diff)
			}
		} else if len(want) > 0 {
			t.Errorf("-bench %q: no function may have benchmarks, want %q", expr, want)
		}
	}
}

// only leaves out the functions that it is not given.
func TestFilterOnly(t *testing.T) {
	f, err := NewFilter("Encode/json|X")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ names, want []string }{
		{[]string{"Encode"}, []string{"Encode/json", "Encode/json#01"}},
		{[]string{"X"}, []string{"X"}},
		{[]string{"EncodeAll", "X"}, []string{"X"}},
		{[]string{"Encode", "X"}, []string{"Encode/json", "Encode/json#01", "X"}},
	} {
		if diff := cmp.Diff(tt.want, chosen(t, f.only(tt.names))); diff != "" {
			t.Errorf("only(%q) = %q (-want +got):\n%s", tt.names, f.only(tt.names), diff)
		}
	}
}

// exactly selects the one benchmark of a name, whatever stands in it.
func TestExactly(t *testing.T) {
	for _, name := range chosen(t, ".") {
		if got := chosen(t, exactly(name)); !slices.Equal(got, []string{name}) {
			t.Errorf("exactly(%q) = %q selects %q", name, exactly(name), got)
		}
	}
}

func TestFilterErrors(t *testing.T) {
	for _, expr := range []string{"(", "Encode/[", "a|b(", "Encode/json/*", "[z-a]", `\`} {
		if _, err := NewFilter(expr); err == nil {
			t.Errorf("NewFilter(%q) = nil error", expr)
		} else if _, ok := err.(*ErrUsage); !ok {
			t.Errorf("NewFilter(%q): %T, want *ErrUsage", expr, err)
		}
	}
}
