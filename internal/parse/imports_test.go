package parse

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const initTrace = `starting
init runtime @0.019 ms, 0.050 ms clock, 0 bytes, 0 allocs
init example.com/heavy @0.97 ms, 210 ms clock, 4240 bytes, 7 allocs
init example.com/broken @0.97 ms, 2.1.0 ms clock, 4240 bytes, 7 allocs
the program's own line: init x @1 ms, 1 ms clock, 0 bytes, 0 allocs
init runtime @0.020 ms, 0.090 ms clock, 0 bytes, 0 allocs
init example.com/child @3 ms, 3 ms clock, 0 bytes, 0 allocs
`

const importTime = `import time: self [us] | cumulative | imported package
import time:       262 |        262 |       _json
import time:       485 |        747 |     json.scanner
import time:       484 |       1231 |   json.decoder
import time:       294 |       1525 | json
a line of the program
import time: self [us] | cumulative | imported package
import time:       999 |        999 | child
`

func TestReadImports(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     Imports
	}{
		{"go", initTrace, Imports{"go", []Package{
			{Name: "runtime", Self: 50e-6, Total: 50e-6},
			{Name: "example.com/heavy", Self: 0.21, Total: 0.21, Bytes: 4240, Allocs: 7},
		}}},
		{"python", importTime, Imports{"python", []Package{
			{Name: "_json", Depth: 3, Self: 262e-6, Total: 262e-6},
			{Name: "json.scanner", Depth: 2, Self: 485e-6, Total: 747e-6},
			{Name: "json.decoder", Depth: 1, Self: 484e-6, Total: 1231e-6},
			{Name: "json", Self: 294e-6, Total: 1525e-6},
		}}},
		{"imported twice", "import time: 1 | 2 | a\nimport time: 3 | 4 | a\n", Imports{"python", []Package{{Name: "a", Self: 4e-6, Total: 6e-6}}}},
		{"windows", "import time: 1 | 2 | a\r\n", Imports{"python", []Package{{Name: "a", Self: 1e-6, Total: 2e-6}}}},
		{"neither", "hello\nimport time: none\ninit\n", Imports{}},
		{"nothing", "", Imports{}},
	} {
		got, err := ReadImports(strings.NewReader(tt.in))
		if diff := cmp.Diff(tt.want, got, cmpopts.EquateApprox(1e-9, 0), cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", tt.name, err, diff)
		}
	}
}

// What real runtimes print: own times add up to what the outermost took.
func TestImportTimesAddUp(t *testing.T) {
	for _, data := range samples(t, "importtime") {
		got, err := ReadImports(bytes.NewReader(data))
		if err != nil || len(got.Packages) < 20 {
			t.Fatalf("%d packages: %v", len(got.Packages), err)
		}
		own, outermost := 0.0, 0.0
		for _, p := range got.Packages {
			own += p.Self
			if p.Depth == 0 {
				outermost += p.Total
			}
		}
		if math.Abs(own-outermost) > 1e-6*float64(len(got.Packages)) { // they are rounded
			t.Errorf("own times add up to %v s, the outermost imports to %v s", own, outermost)
		}
	}
}

// A stored trace is an input of compare: a package is a benchmark, a process a sample.
func TestParseImports(t *testing.T) {
	for file, data := range samples(t, "inittrace") {
		f, err := Parse(bytes.NewReader(data), file)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range f.Head.Benchmarks {
			if b.Name != "net/http" {
				continue
			}
			if m := b.Metric("self-sec"); b.Suite != SuiteStartup || m == nil || len(m.Samples) != 3 || !(m.Samples[0].Value > 0) || b.Metric("init-allocs") == nil {
				t.Errorf("%s: net/http is %+v, want three samples of its own time", file, b)
			}
			return
		}
		t.Errorf("%s: no net/http", file)
	}
}

// FuzzImports feeds anything to both readers: no panic, and what they find is finite, bounded and of the runtime.
func FuzzImports(f *testing.F) {
	f.Add([]byte(initTrace))
	f.Add([]byte(importTime))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ReadImports(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if (got.Runtime == "") != (len(got.Packages) == 0) {
			t.Fatalf("runtime %q with %d packages", got.Runtime, len(got.Packages))
		}
		names := map[string]bool{}
		for _, p := range got.Packages {
			checkText(t, p.Name, maxName)
			if p.Name == "" || names[p.Name] || !(p.Self >= 0 && p.Total >= 0) || math.IsInf(p.Self+p.Total, 0) || p.Bytes < 0 || p.Allocs < 0 {
				t.Errorf("%+v", p)
			}
			names[p.Name] = true
		}
	})
}
