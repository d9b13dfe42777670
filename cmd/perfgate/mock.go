package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/org/perfgate/internal/harness/mockllm"
)

// mockGrace is how long calls in flight may go on when the upstream is stopped.
const mockGrace = 3 * time.Second

// mockGC is the garbage collector's target while the upstream serves, in percent of what lives, unless GOGC
// says otherwise. Next to nothing lives: at the usual 100 a collection comes every few megabytes, and costs a
// sixth of the answers a second (go test -bench Whole ./internal/harness/mockllm, with and without GOGC=400).
const mockGC = 400

// mockFlags are the flags of mock that are not settings.
type mockFlags struct {
	*flags
	modelFlags
	addr, key string
	journal   string
	seed      uint64
	dryRun    int
	json      bool
}

func newMockFlags() *mockFlags {
	m := &mockFlags{flags: newFlags("mock", "")}
	m.set.StringVar(&m.addr, "addr", "127.0.0.1:0", "`HOST:PORT` to listen on; port 0 is a free one, no host is this machine alone")
	m.modelFlags.add(m.flags, "0")
	m.set.Uint64Var(&m.seed, "seed", 1, "`N` that decides all that is random")
	m.set.IntVar(&m.dryRun, "dry-run", 0, "print the delays of `N` calls, and serve nothing")
	m.set.StringVar(&m.key, "require-key", "", "`KEY` that clients must send; without it any will do")
	m.set.StringVar(&m.journal, "journal", "", "append what became of every attempt to `FILE`, a line of JSON each")
	m.set.BoolVar(&m.json, "json", false, "print JSON, one value a line: where it listens, and when it stops what was counted")
	return m
}

// mock serves the mock upstream until it is stopped, which is its usual end: it exits 0 then.
func (a *app) mock(ctx context.Context, args []string) error {
	m := newMockFlags()
	if err := m.parse(a, args, 0); err != nil {
		return ignoreHelp(err)
	}
	config, err := m.config()
	if err != nil {
		return err
	}
	if m.set.Changed("dry-run") {
		return a.dryRun(m, config)
	}
	journal, err := m.openJournal()
	if err != nil {
		return err
	}
	config.Journal = journal.Journal
	server, err := mockllm.New(config)
	if err != nil {
		return errors.Join(err, journal.close())
	}
	defer server.Close()
	return errors.Join(a.serveMock(ctx, m, server), journal.close())
}

// mockJournal is a journal in a file, or none.
type mockJournal struct {
	*mockllm.Journal
	file *os.File
}

// openJournal opens the file of --journal.
func (m *mockFlags) openJournal() (mockJournal, error) {
	if m.journal == "" {
		return mockJournal{}, nil
	}
	file, err := os.OpenFile(m.journal, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return mockJournal{}, usagef("--journal: %v", err)
	}
	return mockJournal{mockllm.NewJournal(file), file}, nil
}

// close writes what is not written yet.
func (j mockJournal) close() error {
	if j.Journal == nil {
		return nil
	}
	err := errors.Join(j.Journal.Close(), j.file.Close())
	if err != nil {
		err = fmt.Errorf("--journal: %w", err)
	}
	return err
}

// config reads what the flags and the script say.
func (m *mockFlags) config() (mockllm.Config, error) {
	c := mockllm.Config{Seed: m.seed, Key: m.key}
	if !regexp.MustCompile(`^[\w.-]*$`).MatchString(m.key) {
		return c, usagef("--require-key: want letters, digits, dots, dashes and underscores")
	}
	if m.set.Changed("dry-run") && (m.dryRun < 1 || m.dryRun > 100_000) {
		return c, usagef("--dry-run %d: want a number of calls from 1 to 100000", m.dryRun)
	}
	var err error
	c.Script, err = m.modelFlags.read(m.flags, os.ReadFile)
	return c, err
}

// dryModel is what a model may be called that nothing is said of.
const dryModel = "gpt-mock"

// dryRun prints what calls to each model would wait for.
func (a *app) dryRun(m *mockFlags, c mockllm.Config) error {
	server, err := mockllm.New(c)
	if err != nil {
		return err
	}
	defer server.Close()
	models := append([]string{dryModel}, slices.Sorted(maps.Keys(c.Models))...)
	type calls struct {
		Model string            `json:"model"`
		Calls []mockllm.Planned `json:"calls"`
	}
	var plans []calls
	for _, name := range models {
		plans = append(plans, calls{name, server.DryRun(name, m.dryRun)})
	}
	if m.json {
		return json.NewEncoder(a.stdout).Encode(map[string]any{"seed": c.Seed, "models": plans})
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "model\tcall\tttft\ttotal\ttokens\tfault")
	for _, p := range plans {
		var ttft, total []time.Duration
		for i, c := range p.Calls {
			fmt.Fprintf(w, "%s\t%d\t%v\t%v\t%d\t%s\n", p.Model, i+1, rounded(c.TTFT), rounded(c.Total), c.Tokens, c.Fault)
			ttft, total = append(ttft, c.TTFT), append(total, c.Total)
		}
		for _, q := range []int{50, 99} {
			fmt.Fprintf(w, "%s\tp%d\t%v\t%v\t\t\n", p.Model, q, rounded(nearestRank(ttft, q)), rounded(nearestRank(total, q)))
		}
	}
	return w.Flush()
}

func rounded(d time.Duration) time.Duration { return d.Round(time.Microsecond) }

// nearestRank is the smallest of the values that so many percent of them do not exceed.
func nearestRank(values []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)*percent+99)/100-1]
}

// serveMock listens, says where, and serves until ctx ends.
func (a *app) serveMock(ctx context.Context, m *mockFlags, server *mockllm.Server) error {
	listener, err := a.listen(ctx, m.addr)
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String()
	if err := a.tellMock(m, url); err != nil {
		listener.Close()
		return err
	}
	if a.getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(mockGC))
	}
	var calls sync.WaitGroup
	handler := withMetrics(server)
	hs := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		defer calls.Done()
		handler.ServeHTTP(w, r)
	})}
	defer func() { // before the journal is closed, which has what became of every call
		hs.Close()
		server.Close() // wakes those that wait
		calls.Wait()
	}()
	served := make(chan error, 1)
	go func() { served <- hs.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serving on %s: %w", url, err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), mockGrace)
	defer cancel()
	if hs.Shutdown(grace) != nil {
		a.warn("calls in flight were cut off after %v", mockGrace)
		hs.Close()
	}
	<-served
	return a.tellCounted(m, server.Stats())
}

// listen opens the address. Other machines must be asked for, and are warned of.
func (a *app) listen(ctx context.Context, addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, usagef("--addr %q: want HOST:PORT, such as 127.0.0.1:8080", addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return nil, usagef("--addr %q: want a port from 0 to 65535", addr)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("--addr %s: %w; choose another, or port 0 for a free one", addr, err)
	}
	if tcp, ok := listener.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		a.warn("the upstream can be reached from other machines, and answers whoever asks: %s", addr)
	}
	return listener, nil
}

// tellMock prints what a program needs in its environment to find the upstream.
func (a *app) tellMock(m *mockFlags, url string) error {
	environ := mockllm.Environ(url, "", m.key)
	if m.json {
		env := map[string]string{}
		for _, v := range environ {
			name, value, _ := strings.Cut(v, "=")
			env[name] = value
		}
		return json.NewEncoder(a.stdout).Encode(map[string]any{"url": url, "env": env})
	}
	for _, v := range environ {
		if _, err := fmt.Fprintf(a.stdout, "export %s\n", v); err != nil {
			return err
		}
	}
	a.say("mock upstream on %s: OpenAI's clients below /v1, Anthropic's at the root, counters at /perfgate/stats and /metrics; Ctrl-C stops it", url)
	return nil
}

// tellCounted prints the final counters.
func (a *app) tellCounted(m *mockFlags, s mockllm.Stats) error {
	if m.json {
		return json.NewEncoder(a.stdout).Encode(map[string]any{"stats": s})
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "route\tmodel\tcalls\tattempts\tstreams\ttool calls\ttokens in\ttokens out\terrors")
	row := func(route, model string, c mockllm.Counters) {
		var errs []string
		for _, kind := range slices.Sorted(maps.Keys(c.Errors)) {
			errs = append(errs, fmt.Sprintf("%s: %d", kind, c.Errors[kind]))
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", route, inert(model), c.Calls, c.Attempts, c.Streams, c.ToolCalls, c.InputTokens, c.OutputTokens, strings.Join(errs, ", "))
	}
	for _, r := range s.Routes {
		row(r.Route, r.Model, r.Counters)
	}
	row("all", "", s.Counters)
	if l := s.Lateness; l.Answers > 0 {
		fmt.Fprintf(w, "\n%d answers were later than planned by p50 %v, p99 %v, at most %v\n", l.Answers, l.P50, l.P99, l.Max)
	}
	return w.Flush()
}

// inert is a name that a client sent, as a terminal can bear it.
func inert(name string) string {
	if quoted := strconv.QuoteToGraphic(name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}
