package compare

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/perf/benchmath"

	"github.com/org/perfgate/internal/parse"
	"github.com/org/perfgate/internal/result"
)

// TestBenchstat compares what we print beside each metric with what the benchstat command prints
// for the same two files: medians, their intervals and the p-value. Recorded in testdata/benchstat
// with golang.org/x/perf v0.0.0-20260908200009-22c9c6c9d4da, by
//
//	benchstat -format csv base.txt head.txt >benchstat.csv
//
// The two files are made up: equal and shifted times, ties, constants, counts that vary, zeros,
// few and uneven samples.
func TestBenchstat(t *testing.T) {
	f := &result.File{Base: parsed(t, "base.txt"), Head: parsed(t, "head.txt")}
	o := Judge(f, DefaultPolicy)
	rows := map[string]*Comparison{}
	for _, c := range o.Comparisons {
		rows[c.Key.Name+" "+c.Unit.Name] = c
	}
	recorded := benchstatRows(t)
	if len(recorded) != len(rows) || len(recorded) < 40 {
		t.Errorf("benchstat has %d rows, we have %d", len(recorded), len(rows))
	}
	for name, want := range recorded {
		c := rows[name]
		if c == nil {
			t.Errorf("no row for %s", name)
			continue
		}
		if got := printed(c); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

func parsed(t *testing.T, name string) *result.Set {
	t.Helper()
	data, err := os.ReadFile("testdata/benchstat/" + name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parse.Parse(bytes.NewReader(data), name)
	if err != nil {
		t.Fatal(err)
	}
	return f.Head
}

// printed is a row in the words of benchstat's CSV.
func printed(c *Comparison) string {
	side := func(s Summary) string {
		return fmt.Sprintf("%v,%s", s.Center, benchmath.Summary{Center: s.Center, Lo: s.Lo, Hi: s.Hi}.PctRangeString())
	}
	test := benchmath.Comparison{P: c.RankP, N1: c.Base.N, N2: c.Head.N}
	return fmt.Sprintf("%s,%s,%s", side(c.Base), side(c.Head), test)
}

// benchstatRows reads the recorded CSV into rows like those of printed, by benchmark and unit.
func benchstatRows(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile("testdata/benchstat/benchstat.csv")
	if err != nil {
		t.Fatal(err)
	}
	_, tables, _ := strings.Cut(string(data), "cpu: Test CPU @ 2.50GHz\n")
	r := csv.NewReader(strings.NewReader(tables))
	r.FieldsPerRecord = -1
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	unit := ""
	for _, line := range lines {
		switch {
		case len(line) != 7 || line[0] == "geomean":
		case line[0] == "" && line[2] == "CI":
			unit = line[1]
		case line[0] != "":
			name := strings.TrimSuffix(line[0], "-4") // GOMAXPROCS, which parse takes off
			// The sixth column is the change of the medians, ours is that of the pairs.
			rows[name+" "+unit] = strings.Join([]string{line[1], line[2], line[3], line[4], line[6]}, ",")
		}
	}
	return rows
}
