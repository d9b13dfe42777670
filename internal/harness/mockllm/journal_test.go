package mockllm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The journal says of every attempt what was planned and what became of it, in the order of their ends.
func TestJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var file bytes.Buffer
		script := faults(t, "500:on=1", "truncate:contains=cut,after=2", "reset:contains=gone", "503:contains=sixth")
		script.TTFT, script.ITL, script.Tokens = Fixed(10*time.Millisecond), Fixed(time.Millisecond), Count(5)
		script.Limits = []Limit{{Model: "m", Requests: 5}}
		script.PromptCache = PromptCache{Scope: cacheRun, Minimum: 128}
		journal := NewJournal(&file)
		s := start(t, Config{Script: script, Journal: journal})
		long := chatOf(strings.Repeat("x", 1000))
		post(s, "/r/a/v1/chat/completions", long)
		post(s, "/r/a/v1/chat/completions", long)
		post(s, "/r/a/v1/chat/completions", long)
		post(s, "/v1/chat/completions", strings.Replace(chatOf("cut"), "{", `{"stream":true,`, 1))
		post(s, "/v1/chat/completions", chatOf("gone"))
		post(s, "/v1/chat/completions", chatOf("sixth"))
		post(s, "/v1/chat/completions", `{`)
		do(s, "GET", "/v1/models", "")
		if err := journal.Close(); err != nil {
			t.Fatal(err)
		}
		const ms = time.Millisecond
		want := []Entry{
			{Run: "a", Attempt: 0, Status: 500, Outcome: "500", Fault: "500", InputTokens: 250, PlannedTTFT: 10 * ms, PlannedTotal: 14 * ms},
			{Run: "a", Attempt: 1, Status: 200, InputTokens: 250, OutputTokens: 5, PlannedTTFT: 10 * ms, PlannedTotal: 14 * ms, TTFT: 14 * ms, Total: 14 * ms},
			{Run: "a", Occurrence: 1, Status: 200, InputTokens: 250, CachedTokens: 128, OutputTokens: 5, PlannedTTFT: 10 * ms, PlannedTotal: 14 * ms, TTFT: 14 * ms, Total: 14 * ms},
			{Stream: true, Attempt: 0, Status: 500, Outcome: "500", Fault: "500", InputTokens: 1, PlannedTTFT: 10 * ms, PlannedTotal: 14 * ms},
			{Outcome: "reset", Fault: "reset", InputTokens: 1, PlannedTTFT: 10 * ms, PlannedTotal: 14 * ms},
			{Status: 429, Outcome: "429", Limited: true, InputTokens: 2, PlannedTTFT: 10 * ms, PlannedTotal: 14 * ms},
			{Status: 400, Outcome: "400", PlannedTTFT: 10 * ms, PlannedTotal: 14 * ms},
			{Route: "models", Status: 200, Total: 0},
		}
		var got []Entry
		for line := range strings.Lines(file.String()) {
			var e Entry
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			if e.Time.IsZero() || e.Request == "" {
				t.Errorf("no time or no request in %s", line)
			}
			e.Time, e.Request = time.Time{}, ""
			got = append(got, e)
		}
		for i := range want[:7] {
			want[i].Route, want[i].Model = "chat", "m"
		}
		want[6].Model = ""
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s\n%s", diff, &file)
		}
	})
}

// All of many attempts at once are entered once.
func TestJournalConcurrent(t *testing.T) {
	var file bytes.Buffer
	journal := NewJournal(&file)
	s := start(t, Config{Journal: journal})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				post(s, "/v1/chat/completions", chatOf(fmt.Sprint(i, j)))
			}
		})
	}
	all.Wait()
	err := journal.Close()
	for line := range strings.Lines(file.String()) { // in real time
		var e Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.TTFT <= 0 || e.TTFT > e.Total {
			t.Fatalf("%v in %s", err, line)
		}
	}
	if err != nil || strings.Count(file.String(), "\n") != 400 {
		t.Errorf("%d lines, %v", strings.Count(file.String(), "\n"), err)
	}
}

// full refuses what is written.
type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

// A disk that is full does not stop the upstream, and is told of.
func TestJournalFails(t *testing.T) {
	journal := NewJournal(full{})
	s := start(t, Config{Journal: journal})
	for range 2 * journalRoom / 100 {
		if w := post(s, "/v1/chat/completions", chatOf("x")); w.Code != 200 {
			t.Fatal(w.Body)
		}
	}
	if err := journal.Close(); !errors.Is(err, errFull) {
		t.Errorf("Close = %v, want %v", err, errFull)
	}
}

// Whoever is killed leaves what was entered before: an idle journal has nothing in its buffer.
func TestJournalFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var file bytes.Buffer
		journal := NewJournal(&file)
		s := start(t, Config{Journal: journal})
		post(s, "/v1/chat/completions", chatOf("x"))
		synctest.Wait()
		if !strings.HasSuffix(file.String(), "}\n") {
			t.Errorf("the file has %q", &file)
		}
		journal.Close()
	})
}
