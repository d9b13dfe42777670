package load

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Recorded arrivals are due when they came, counted from the first; runs begin then, whatever became of the others.
func TestReplay(t *testing.T) {
	due, err := ReadReplay(strings.NewReader("# of a log\n1763800000.5\n\n1763800000.5\n1763800000.75\r\n 1763800001\n"))
	want := []time.Duration{0, 0, 250 * time.Millisecond, 500 * time.Millisecond}
	if diff := cmp.Diff(want, due); diff != "" || err != nil {
		t.Fatalf("%v, (-want +got):\n%s", err, diff)
	}
	onClocks(t, func(t *testing.T, c Clock) {
		p := openPlan(nil)
		p.Replay = due
		trace := mustRun(t, c, p, sleeper(c, time.Second))
		var began []time.Duration
		for i := range trace.Records {
			began = append(began, time.Duration(trace.Records[i].Started))
		}
		if diff := cmp.Diff(want, began); diff != "" || trace.Wall != 1500*time.Millisecond {
			t.Errorf("in %v (-want +got):\n%s", trace.Wall, diff)
		}
	})
	p := openPlan(nil)
	p.Replay, p.Runs = due, 3
	if s := mustSchedule(t, p); len(s.Due) != 3 || len(due) != 4 {
		t.Errorf("%d of the first 3 runs", len(s.Due))
	}
}

func TestBadReplays(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "replay: no arrival in it",
		"# nothing\n\n":                    "replay: no arrival in it",
		"1\n2\n1.5\n":                      `replay: line 3: "1.5" is before the line above`,
		"1\n0.5\n":                         `replay: line 2: "0.5" is before the line above`,
		"1\nsoon\n":                        `replay: line 2: "soon": want a time in seconds`,
		"-1\n":                             `replay: line 1: "-1": want a time`,
		"1\n1e300\n":                       `replay: line 2: "1e300": want a time`,
		"NaN\n":                            `replay: line 1: "NaN": want a time`,
		"1, 2\n":                           `replay: line 1: "1, 2": want a time`,
		"1\n" + strings.Repeat("x", 1<<17): "replay: line 2: bufio.Scanner: token too long",
	} {
		if _, err := ReadReplay(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.20q: %v, want %s…", text, err, want)
		}
	}
	p := openPlan(rate(5, time.Second))
	p.Replay = []time.Duration{0}
	if _, err := p.Schedule(); err == nil || !strings.HasPrefix(err.Error(), "replay: ") {
		t.Errorf("a rate as well: %v", err)
	}
}

func FuzzReplay(f *testing.F) {
	f.Add("0\n0.5\n1.25\n")
	f.Add("# x\n1763800000.5\n3h\n")
	f.Fuzz(func(t *testing.T, text string) {
		due, err := ReadReplay(strings.NewReader(text))
		if err != nil {
			return
		}
		if len(due) == 0 || due[0] != 0 || !slices.IsSorted(due) {
			t.Errorf("arrivals %v", due)
		}
	})
}
