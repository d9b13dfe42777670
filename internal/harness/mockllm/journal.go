package mockllm

import (
	"bufio"
	"encoding/json"
	"io"
	"strconv"
	"time"
)

// Entry is what a journal says of an attempt. Durations are nanoseconds since its arrival.
type Entry struct {
	Time   time.Time `json:"time"` // of its arrival
	Run    string    `json:"run,omitempty"`
	Route  string    `json:"route"`
	Model  string    `json:"model"`
	Stream bool      `json:"stream"`
	// Request is the same for the same question, Occurrence counts how often the run asked it before, Attempt
	// the attempts at this one.
	Request    string `json:"request"`
	Occurrence int    `json:"occurrence"`
	Attempt    int    `json:"attempt"`

	// Status is that of HTTP, 0 where nothing was answered. Outcome is the kind of the failure, as in
	// [Counters], empty for an answer; Fault is the kind of the fault that was asked for.
	Status  int    `json:"status"`
	Outcome string `json:"outcome,omitempty"`
	Fault   string `json:"fault,omitempty"`
	Limited bool   `json:"limited,omitempty"`

	PlannedTTFT  time.Duration `json:"planned_ttft_ns"`
	PlannedTotal time.Duration `json:"planned_total_ns"`
	TTFT         time.Duration `json:"ttft_ns"` // to the first byte, of a stream to its first token; 0 where there was none
	Total        time.Duration `json:"total_ns"`

	InputTokens   int `json:"input_tokens"`
	CachedTokens  int `json:"cached_tokens,omitempty"`
	WrittenTokens int `json:"cache_write_tokens,omitempty"`
	OutputTokens  int `json:"output_tokens"` // that were sent
}

// journalRoom is the number of entries that may wait to be written. When there is no room the upstream waits too:
// none is lost.
const journalRoom = 1 << 14

// Journal writes an entry a line, as JSON, in the order in which attempts end.
type Journal struct {
	entries chan Entry
	done    chan struct{}
	err     error // of the first write that failed; what came after it is dropped
}

// NewJournal begins a journal, which must be closed.
func NewJournal(w io.Writer) *Journal {
	j := &Journal{entries: make(chan Entry, journalRoom), done: make(chan struct{})}
	go j.write(w)
	return j
}

// write writes entries until there are no more. Whenever none waits, what was written is flushed: who is killed
// leaves next to all.
func (j *Journal) write(w io.Writer) {
	defer close(j.done)
	buffered := bufio.NewWriter(w)
	encoder := json.NewEncoder(buffered)
	for e := range j.entries {
		if j.err != nil {
			continue
		}
		if j.err = encoder.Encode(e); j.err == nil && len(j.entries) == 0 {
			j.err = buffered.Flush()
		}
	}
	if j.err == nil {
		j.err = buffered.Flush()
	}
}

// Close writes what waits and returns the first error of all writes. No call may be in flight, and none may come.
func (j *Journal) Close() error {
	close(j.entries)
	<-j.done
	return j.err
}

// enter puts what became of an attempt into the journal, if there is one.
func (s *Server) enter(c *call) {
	if s.config.Journal == nil {
		return
	}
	e := Entry{
		Time: c.arrived, Run: c.run, Route: c.route.name, Model: c.request.Model, Stream: c.streams(),
		Request: strconv.FormatUint(c.fingerprint, 16), Occurrence: c.logical.occurrence, Attempt: c.attempt,
		Status: c.sentStatus, Outcome: c.outcome, Limited: c.limited,
		PlannedTTFT: c.due[0], PlannedTotal: c.total(), Total: c.left.Sub(c.arrived),
		InputTokens: c.inputTokens(), CachedTokens: c.cached, WrittenTokens: c.written, OutputTokens: c.sentTokens,
	}
	if !c.first.IsZero() {
		e.TTFT = c.first.Sub(c.arrived)
	}
	if c.fault != nil && !c.limited {
		e.Fault = c.fault.Kind
	}
	s.config.Journal.entries <- e
}
