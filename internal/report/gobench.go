package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/perf/benchfmt"

	"github.com/org/perfgate/internal/result"
)

// GoBench writes a Set in the Go benchmark format, one line a sample, so that benchstat and its
// kin read what was measured. A nil Set writes nothing.
func GoBench(w io.Writer, s *result.Set) error {
	if s == nil {
		return nil
	}
	if _, err := io.WriteString(w, unitLines(s)); err != nil {
		return err
	}
	bw := benchfmt.NewWriter(w)
	for _, b := range s.Benchmarks {
		for _, r := range results(s, b) {
			if err := bw.Write(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// unitLines declares the direction of units that other tools do not know.
func unitLines(s *result.Set) string {
	seen := map[string]bool{}
	text := ""
	for _, b := range s.Benchmarks {
		for _, m := range b.Metrics {
			if u := m.Unit; !seen[u.Name] && u.Better != result.Unknown && result.UnitOf(u.Name).Better == result.Unknown {
				text += fmt.Sprintf("Unit %s better=%s\n", token(u.Name), u.Better)
			}
			seen[m.Unit.Name] = true
		}
	}
	return text
}

// results turns a benchmark's samples into lines: one a pass, with every metric of it. Samples of one
// pass are not independent, and a reader of the format would take lines for that.
func results(s *result.Set, b *result.Benchmark) []*benchfmt.Result {
	var lines []*benchfmt.Result
	type row struct {
		confirm bool
		pass    int
	}
	at := map[row]*benchfmt.Result{}
	for _, m := range b.Metrics {
		for stage, samples := range [][]result.Sample{m.Samples, m.Confirm} {
			for _, sample := range result.ByPass(samples) {
				k := row{stage == 1, sample.Pass}
				r := at[k]
				if r == nil {
					r = newResult(s, b, sample.Iters)
					at[k] = r
					lines = append(lines, r)
				}
				r.Values = append(r.Values, goValue(sample.Value, m.Unit.Name))
			}
		}
	}
	return lines
}

// goValue writes times and rates in the units that `go test` prints, which every reader of the
// format knows.
func goValue(v float64, unit string) benchfmt.Value {
	switch unit {
	case "sec/op":
		return benchfmt.Value{Value: v, Unit: unit, OrigValue: digits(v * 1e9), OrigUnit: "ns/op"}
	case "B/s":
		return benchfmt.Value{Value: v, Unit: unit, OrigValue: digits(v / 1e6), OrigUnit: "MB/s"}
	}
	return benchfmt.Value{Value: v, Unit: token(unit)}
}

// digits drops the last digits of v, which only the change of unit brought in.
func digits(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 13, 64), 64)
	if err != nil {
		return v
	}
	return r
}

func newResult(s *result.Set, b *result.Benchmark, iters int) *benchfmt.Result {
	name := token(b.Name)
	if p := s.Env.GOMAXPROCS; p > 1 {
		name = fmt.Sprintf("%s-%d", name, p)
	}
	r := &benchfmt.Result{Name: benchfmt.Name(name), Iters: iters}
	for _, kv := range [][2]string{{"goos", token(s.Env.GOOS)}, {"goarch", token(s.Env.GOARCH)}, {"pkg", token(b.Package)}, {"cpu", oneLine(s.Env.CPU)}} {
		if kv[1] != "" { // SetConfig would make it internal, which is not written
			r.Config = append(r.Config, benchfmt.Config{Key: kv[0], Value: []byte(kv[1]), File: true})
		}
	}
	return r
}

// token keeps a name from ending its field or its line.
func token(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return '_'
		}
		return r
	}, s)
}
