package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/result"
)

// Every standard benchmark does its work, at which each of them looks, and leaves nothing behind.
func TestStandards(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range standards {
		if seen[s.name] {
			t.Errorf("there are two of %s", s.name)
		}
		seen[s.name] = true
		t.Run(s.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("TMPDIR", dir)
			sub, err := s.open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := sub.run(1); err != nil {
				t.Error(err)
			}
			if sub.close != nil {
				sub.close()
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// counting is a standard benchmark that notes how many iterations it was asked for, and after how many it is closed.
func counting(done, closed *int) standard {
	return standard{"Counting", func(context.Context) (*subject, error) {
		return &subject{
			run: func(n int) error {
				*done += n
				for began := time.Now(); time.Since(began) < standardSlice; { // the shortest for a slice of its own
				}
				return nil
			},
			close: func() { *closed = *done },
		}, nil
	}}
}

// What is counted are the iterations behind the warm-up, and a subject is closed behind the last.
func TestStandardMeasure(t *testing.T) {
	var done, closed int
	s := counting(&done, &closed)
	row, err := s.measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if row.Samples < leastStandard || row.Samples > mostStandard || row.Iterations != row.Samples || row.Iterations >= done {
		t.Errorf("%d samples of %d iterations of %d with those of the warm-up", row.Samples, row.Iterations, done)
	}
	if closed != done {
		t.Errorf("closed after %d of %d iterations", closed, done)
	}
}

// The row of values whose figures are known. Of 10 values the 2nd and the 9th hold the median with 97.9 %.
func TestStandardRow(t *testing.T) {
	m := &result.Metric{Unit: result.UnitOf("sec/op")}
	for i, v := range []float64{10, 2, 7, 4, 5, 6, 3, 8, 9, 1} {
		m.Samples = append(m.Samples, result.Sample{Value: v, Iters: 3, Pair: i, Pass: i})
	}
	want := standardRow{Name: "X", Samples: 10, Iterations: 30, Mean: 5.5, Min: 1, Max: 10, Rate: 1 / 5.5, Median: 5.5, Interval: [2]float64{2, 9}}
	if diff := cmp.Diff(want, standardRowOf("X", m)); diff != "" {
		t.Errorf("the row (-want +got):\n%s", diff)
	}
}

// A benchmark whose work goes wrong ends the run with its name, and what was measured before is printed.
func TestStandardFailure(t *testing.T) {
	var done, closed int
	refused := errors.New("refused")
	failing := standard{"Failing", func(context.Context) (*subject, error) {
		return &subject{run: func(int) error { return refused }}, nil
	}}
	var out bytes.Buffer
	a := &app{stdout: &out}
	err := a.measureStandards(t.Context(), []standard{counting(&done, &closed), failing}, true)
	if !errors.Is(err, refused) || !strings.HasPrefix(err.Error(), "Failing: ") || exitCode(err) != exitNoVerdict {
		t.Errorf("the error is %v", err)
	}
	var report standardReport
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Benchmarks) != 1 || report.Benchmarks[0].Name != "Counting" {
		t.Errorf("printed: %v", report.Benchmarks)
	}
}

// An interrupt ends the run, and a table of nothing is one.
func TestStandardInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	interrupting := standard{"Interrupting", func(context.Context) (*subject, error) {
		return &subject{run: func(int) error { cancel(); return nil }}, nil
	}}
	var out bytes.Buffer
	a := &app{stdout: &out}
	err := a.measureStandards(ctx, []standard{interrupting}, false)
	if code := exitCode(err); code != exitInterrupted {
		t.Errorf("exit %d for %v", code, err)
	}
	if !strings.Contains(out.String(), "0 benchmarks of perfgate's own") {
		t.Errorf("printed: %s", out.String())
	}
}
