package report

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestJSONRoundTrip: a program that reads the report by its fields gets all of it.
func TestJSONRoundTrip(t *testing.T) {
	for _, fixture := range fixtures {
		d := fixture.make()
		text := drawn(t, format(t, "json"), d)
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.DisallowUnknownFields()
		var r jsonReport
		if err := dec.Decode(&r); err != nil {
			t.Fatalf("%s: %v", fixture.name, err)
		}
		var again bytes.Buffer
		enc := json.NewEncoder(&again)
		enc.SetIndent("", "  ")
		if err := enc.Encode(r); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(text), again.String()); diff != "" {
			t.Errorf("%s (-written +read and written):\n%s", fixture.name, diff)
		}
		checkJSON(t, d, r)
	}
}

// checkJSON compares with the outcome what no other format writes in full.
func checkJSON(t *testing.T, d *Document, r jsonReport) {
	t.Helper()
	o := d.Outcome
	if r.Verdict != d.Gate() || (r.Accepted != nil) != (d.Accepted != nil) || r.Tests != o.Tests || len(r.Comparisons) != len(o.Comparisons) || r.Seed != d.File.Seed || r.Partial != d.File.Partial {
		t.Fatalf("verdict %s, %d tests, %d rows, seed %d, partial %v", r.Verdict, r.Tests, len(r.Comparisons), r.Seed, r.Partial)
	}
	for i, c := range o.Comparisons {
		row := r.Comparisons[i]
		if row.Verdict != c.Verdict || row.Against != c.Against || row.Gated != c.Gated || row.Exact != c.Exact || row.Pairs != c.Pairs {
			t.Errorf("%s: %+v is not %+v", c.Key, row, *c)
		}
		for name, v := range map[string]struct {
			got  *float64
			want float64
		}{"change": {row.Change, c.Change}, "p": {row.P, c.P}, "rank p": {row.RankP, c.RankP}, "MDE": {row.MDE, c.MDE}} {
			if w := finite(v.want); (v.got == nil) != (w == nil) || w != nil && *v.got != *w {
				t.Errorf("%s %s: %s is %v, want %v", c.Key, c.Unit.Name, name, v.got, v.want)
			}
		}
	}
}
