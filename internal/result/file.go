package result

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// Schema is the version of the file format that this program writes.
const Schema = 2

// MaxFile bounds the size of a file that is read: 256 MiB hold some 100,000 benchmarks.
const MaxFile = 256 << 20

// File is perf_reports/latest.json and perf_reports/baseline.json: one schema for both. A
// baseline has only a head; latest.json also holds what head was judged against, with every
// raw pair, so that the verdict can be computed again.
type File struct {
	SchemaVersion int       `json:"schema_version"`
	Tool          Tool      `json:"tool"`
	GeneratedAt   time.Time `json:"generated_at"`
	// Seed repeats the order of pairs and rounds.
	Seed uint64 `json:"seed"`
	// Pairing says how base and head samples belong together.
	Pairing Pairing `json:"pairing,omitempty"`
	// Partial says that the measuring was interrupted.
	Partial bool `json:"partial,omitempty"`
	// ThresholdsOnly says that the values are single ones without samples, from a file of schema 1:
	// they can be shown, and nothing can be concluded from them.
	ThresholdsOnly bool `json:"thresholds_only,omitempty"`
	// Reason is why a baseline was forced.
	Reason string `json:"reason,omitempty"`
	// Release is the tag that a baseline was committed for, so that no older one comes after it.
	Release string `json:"release,omitempty"`
	// Scenario is what was asked for: packages, benchmarks, budget, pairs, flags.
	Scenario map[string]string `json:"scenario,omitempty"`
	// Run says how far the measuring came. Absent in what perfgate did not measure itself.
	Run *Run `json:"run,omitempty"`
	// Policy is the configuration of the judge, as compare wrote it.
	Policy json.RawMessage `json:"policy,omitempty"`
	// Profile is where the run's time went, where that was asked for: what logs/performance has of it.
	Profile  json.RawMessage `json:"profile,omitempty"`
	Warnings []string        `json:"warnings,omitempty"`
	Head     *Set            `json:"head"`
	Base     *Set            `json:"base,omitempty"`
	Baseline *Set            `json:"baseline,omitempty"`
	// Control is base against a copy of itself, measured beside the rest.
	Control *Control `json:"control,omitempty"`
	// BaselineInfo names the baseline that Baseline was read from, or says that there is none.
	BaselineInfo string `json:"baseline_info,omitempty"`
	// SHA256 covers everything above, so that a hand-edited number is found.
	SHA256 string `json:"sha256"`
}

// Control is base and a byte-identical copy of it, measured like base and head.
type Control struct {
	Base Set `json:"base"`
	Twin Set `json:"twin"`
}

// Tool names the program that wrote a file.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Run says how far the measuring came within its budget.
type Run struct {
	// Measured of Total benchmarks have the passes without which nothing can be judged; of a program under load these
	// may be those that its counts need.
	Measured int `json:"measured"`
	Total    int `json:"total"`
	// Screened and Confirmed are the seeds of the linker's order of functions, 0 for its own. The
	// passes of the first stage took the builds in turn, those of the second one each.
	Screened  []uint64 `json:"screened,omitempty"`
	Confirmed []uint64 `json:"confirmed,omitempty"`

	BuildSec  float64 `json:"build_sec"`
	RunSec    float64 `json:"run_sec"`
	BudgetSec float64 `json:"budget_sec"`
}

// Pairing says how the samples of two Sets belong together.
type Pairing string

// The pairings.
const (
	// Passes: base and head took turns in coin-flip order, pair by pair, and each pass had a pair of
	// processes of its own.
	Passes Pairing = "passes"
	// Unpaired: nothing is known of the order.
	Unpaired Pairing = ""
)

// ErrHash says that a file's content does not match its hash: a number was edited by hand.
var ErrHash = errors.New("the content does not match its sha256: it was edited after it was measured")

// hash returns the hash over f's content without the hash itself. Sets are hashed as
// they are written, so numbers survive a round trip bit by bit.
func (f *File) hash() (string, error) {
	c := *f
	c.SHA256 = ""
	data, err := json.Marshal(&c)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// Write writes f as indented JSON with its hash, arrays of numbers on one line.
func (f *File) Write(w io.Writer) error {
	c := *f
	c.SchemaVersion = Schema
	if len(c.Policy) > 0 {
		var compact bytes.Buffer
		if err := json.Compact(&compact, c.Policy); err != nil {
			return fmt.Errorf("policy: %w", err)
		}
		c.Policy = compact.Bytes()
	}
	sum, err := c.hash()
	if err != nil {
		return err
	}
	c.SHA256 = sum
	data, err := json.Marshal(&c)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, data, "", " "); err != nil {
		return err
	}
	_, err = w.Write(append(collapseNumbers(out.Bytes()), '\n'))
	return err
}

// collapseNumbers puts each indented array of numbers on one line: a committed file is
// read in diffs, where a sample a line would drown everything else.
func collapseNumbers(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); i++ {
		if data[i] != '[' {
			if data[i] == '"' { // copy strings whole: a bracket in them is text
				j := i + 1
				for ; data[j] != '"'; j++ {
					if data[j] == '\\' {
						j++
					}
				}
				out = append(out, data[i:j+1]...)
				i = j
				continue
			}
			out = append(out, data[i])
			continue
		}
		end := bytes.IndexAny(data[i+1:], `]"{[`)
		if end < 0 || data[i+1+end] != ']' {
			out = append(out, '[')
			continue
		}
		body := bytes.ReplaceAll(bytes.Join(bytes.Fields(data[i+1:i+1+end]), nil), []byte(","), []byte(", "))
		out = append(append(append(out, '['), body...), ']')
		i += 1 + end
	}
	return out
}

// Read reads a file of schema 2, or of schema 1 as thresholds without statistics. An unknown
// field, a newer schema, a wrong hash and a number that is not finite are errors.
func Read(r io.Reader) (*File, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxFile {
		return nil, fmt.Errorf("larger than %d MiB", MaxFile>>20)
	}
	f, err := decode(data)
	if err != nil || f.SchemaVersion == 1 { // which has no hash
		return f, err
	}
	sum, err := f.hash()
	if err != nil {
		return nil, err
	}
	if sum != f.SHA256 {
		return nil, ErrHash
	}
	return f, nil
}

// decode is Read without the check of the hash.
func decode(data []byte) (*File, error) {
	var head struct {
		SchemaVersion *int `json:"schema_version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, jsonError(data, err)
	}
	switch {
	case head.SchemaVersion == nil:
		return nil, errors.New(`no "schema_version": not a perfgate file`)
	case *head.SchemaVersion == 1:
		return readSchema1(data)
	case *head.SchemaVersion != Schema:
		return nil, fmt.Errorf("schema_version %d: this perfgate reads 1 and %d; use a newer perfgate", *head.SchemaVersion, Schema)
	}
	f := new(File)
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(f); err != nil {
		return nil, jsonError(data, err)
	}
	for _, raw := range []*json.RawMessage{&f.Policy, &f.Profile} {
		if len(*raw) == 0 {
			continue
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, *raw); err != nil {
			return nil, err
		}
		*raw = compact.Bytes()
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	return f, nil
}

// check refuses what no run of perfgate can have written.
func (f *File) check() error {
	if f.Head == nil {
		return errors.New(`no "head": nothing was measured`)
	}
	if f.Tool.Name == "" || f.GeneratedAt.IsZero() {
		return errors.New("no provenance (tool, generated_at): not written by perfgate")
	}
	sets := []*Set{f.Head, f.Base, f.Baseline}
	if f.Control != nil {
		sets = append(sets, &f.Control.Base, &f.Control.Twin)
	}
	for _, s := range sets {
		if s == nil {
			continue
		}
		seen := make(map[Key]bool, len(s.Benchmarks))
		all := s.Benchmarks
		if s.Control != nil {
			all = append(slices.Clip(all), s.Control)
		}
		for i, b := range all {
			if b == nil {
				return fmt.Errorf("benchmarks[%d] is null", i)
			}
			if seen[b.Key()] {
				return fmt.Errorf("benchmark %s stands twice", b.Key())
			}
			seen[b.Key()] = true
			for j, m := range b.Metrics {
				if m == nil {
					return fmt.Errorf("benchmark %s: metrics[%d] is null", b.Key(), j)
				}
			}
		}
	}
	return nil
}

// jsonError adds the line to an error of encoding/json, which knows only the offset.
func jsonError(data []byte, err error) error {
	offset := int64(-1)
	var metric *metricError
	if errors.As(err, &metric) {
		offset = int64(bytes.Index(data, metric.raw))
	}
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &typ):
		offset = max(offset, 0) + typ.Offset
	}
	if offset < 0 || offset > int64(len(data)) {
		return err
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:offset], []byte("\n")), err)
}

// metricError is an error in a metric, with the metric's text: offsets of errors in it count from
// its own beginning, which UnmarshalJSON does not know.
type metricError struct {
	raw []byte
	err error
}

func (e *metricError) Error() string { return e.err.Error() }
func (e *metricError) Unwrap() error { return e.err }

// columns are samples in columns: a committed file stays small and its diffs readable.
type columns struct {
	Iters  []int     `json:"iters,omitempty"`  // one number where all samples agree
	Pairs  []int     `json:"pairs,omitempty"`  // absent where they are 0, 1, 2, …
	Passes []int     `json:"passes,omitempty"` // absent where each sample has a pass of its own: 0, 1, 2, …
	Values []float64 `json:"values"`           // in base units: seconds, bytes, counts
}

// metricJSON is a Metric as it is written.
type metricJSON struct {
	Unit
	columns
	Confirm *columns `json:"confirm,omitempty"` // the second stage: taken afresh, a pass a re-linked build
	// Best, in a baseline, is the best level that an exact metric is held to: absent where the values are it.
	Best *Level `json:"best,omitempty"`
}

// MarshalJSON writes m in columns.
func (m *Metric) MarshalJSON() ([]byte, error) {
	j := metricJSON{Unit: m.Unit, Best: m.Best}
	if err := j.put(m.Samples); err != nil {
		return nil, fmt.Errorf("%s: %w", m.Unit.Name, err)
	}
	if len(m.Confirm) > 0 {
		j.Confirm = new(columns)
		if err := j.Confirm.put(m.Confirm); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Unit.Name, err)
		}
	}
	return json.Marshal(j)
}

func (c *columns) put(samples []Sample) error {
	c.Values = make([]float64, len(samples))
	same, counting, alone := true, true, true
	for i, s := range samples {
		if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
			return fmt.Errorf("sample %d is %v", i, s.Value)
		}
		same = same && s.Iters == samples[0].Iters
		counting = counting && s.Pair == i
		alone = alone && s.Pass == i
		c.Values[i] = s.Value
		c.Iters = append(c.Iters, s.Iters)
		c.Pairs = append(c.Pairs, s.Pair)
		c.Passes = append(c.Passes, s.Pass)
	}
	if same && len(c.Iters) > 0 {
		c.Iters = c.Iters[:1]
	}
	if counting {
		c.Pairs = nil
	}
	if alone {
		c.Passes = nil
	}
	return nil
}

func (c *columns) samples() ([]Sample, error) {
	n := len(c.Values)
	fits := func(column []int) bool { return len(column) == 0 || len(column) == n }
	if len(c.Iters) == 0 && n > 0 || len(c.Iters) != 1 && !fits(c.Iters) || !fits(c.Pairs) || !fits(c.Passes) {
		return nil, fmt.Errorf("%d values, %d iters, %d pairs, %d passes: the columns do not fit", n, len(c.Iters), len(c.Pairs), len(c.Passes))
	}
	samples := make([]Sample, n)
	for i, v := range c.Values {
		s := Sample{Value: v, Iters: c.Iters[min(i, len(c.Iters)-1)], Pair: i, Pass: i}
		if len(c.Pairs) > 0 {
			s.Pair = c.Pairs[i]
		}
		if len(c.Passes) > 0 {
			s.Pass = c.Passes[i]
		}
		samples[i] = s
	}
	return samples, nil
}

// UnmarshalJSON reads the columns that MarshalJSON writes.
func (m *Metric) UnmarshalJSON(data []byte) error {
	if err := m.unmarshal(data); err != nil {
		return &metricError{bytes.Clone(data), err}
	}
	return nil
}

func (m *Metric) unmarshal(data []byte) error {
	var j metricJSON
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&j); err != nil {
		return err
	}
	if j.Better.Sign() == 0 && j.Better != Unknown {
		return fmt.Errorf("%s: better is %q, want lower or higher", j.Name, j.Better)
	}
	m.Unit, m.Confirm, m.Best = j.Unit, nil, j.Best
	var err error
	if m.Samples, err = j.samples(); err != nil {
		return fmt.Errorf("%s: %w", j.Name, err)
	}
	if j.Confirm != nil {
		if m.Confirm, err = j.Confirm.samples(); err != nil {
			return fmt.Errorf("%s: confirm: %w", j.Name, err)
		}
	}
	return nil
}
