package harness

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/org/perfgate/internal/harness/proc"
)

// gated is a test binary that waits at the gate.
type gated struct {
	child   *proc.Child
	pending *message // read, and not yet dealt with
	to      *os.File
	from    *bufio.Reader
	pipes   []*os.File
	run     string // by which its upstream knows it

	sink  *os.File // what it counted, slice after slice, read as far as read; or the profile of the last one
	read  int64
	dumps *dumps // of its instructions, nil where callgrind does not count them

	// idle sums up what the process did while it had nothing to do.
	waited, used time.Duration
	// stops says that it is stopped by a signal while it waits, because it would not be idle.
	stops bool
}

// The waiting side must not take time from the measured one.
const (
	idleShare = 0.05                  // of a core that a waiting process may use
	idleLeast = 20 * time.Millisecond // of waiting before anything is said of it
)

// gateEnv makes a test binary wait at the gate, steadyEnv begin every slice with a collected heap. Of the others
// one makes it write to descriptor 5: the counts of its statements, or a profile of each slice.
const (
	gateEnv   = "PERFGATE_GATE=pipes-3-4"
	steadyEnv = "PERFGATE_STEADY=1"
	countsEnv = "PERFGATE_COUNTS=5"
	cpuEnv    = "PERFGATE_PROFILE=cpu"
	allocsEnv = "PERFGATE_PROFILE=allocs"
)

// startGated starts p at the gate, and has it write what the variable writes says, if any.
func startGated(ctx context.Context, p proc.Process, writes string) (*gated, error) {
	theirIn, to, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	from, theirOut, err := os.Pipe()
	if err != nil {
		theirIn.Close()
		to.Close()
		return nil, err
	}
	p.Env = append(p.Env[:len(p.Env):len(p.Env)], gateEnv)
	p.Files = append([]*os.File{theirIn, theirOut}, p.Files...)
	g := &gated{to: to, from: bufio.NewReaderSize(from, maxMessage), pipes: []*os.File{to, from}}
	if writes != "" {
		p.Env = append(p.Env, writes)
		if g.sink, err = os.CreateTemp("", "perfgate-sink-"); err == nil {
			os.Remove(g.sink.Name()) // it lives as long as it is open
			g.pipes = append(g.pipes, g.sink)
			p.Files = append(p.Files, g.sink)
		}
	}
	if err == nil {
		g.child, err = p.Start(ctx)
	}
	theirIn.Close()
	theirOut.Close()
	if err != nil {
		g.closePipes()
		return nil, err
	}
	return g, nil
}

func (g *gated) closePipes() {
	for _, f := range g.pipes {
		f.Close()
	}
	if g.dumps != nil {
		os.RemoveAll(g.dumps.dir)
	}
}

// wait ends the conversation and waits for the process, which goes its way to the end.
func (g *gated) wait() (proc.Exited, error) {
	e, err := g.child.Wait()
	g.closePipes()
	return e, err
}

// next returns what the process says next, io.EOF when it has ended. A silence longer than limit
// kills it.
func (g *gated) next(limit time.Duration) (message, error) {
	if m := g.pending; m != nil {
		g.pending = nil
		return *m, nil
	}
	g.child.Limit(limit)
	defer g.child.Unlimit() // it may wait for long while the other side is measured
	line, err := g.from.ReadSlice('\n')
	if err != nil {
		if errors.Is(err, bufio.ErrBufferFull) {
			err = errors.New("a message without end")
		}
		return message{}, err
	}
	return parseMessage(string(line[:len(line)-1]))
}

// order tells the process to run n iterations, or with 0 to go on to the next benchmark.
func (g *gated) order(n int) error {
	if g.stops {
		g.signal(resume)
	}
	_, err := g.to.WriteString(strconv.Itoa(n) + "\n")
	return err
}

// slice runs n iterations. ended is set where the benchmark is over instead: it failed.
func (g *gated) slice(n int, limit time.Duration) (s slice, ended bool, err error) {
	began := time.Now()
	if err := g.order(n); err != nil {
		return s, false, err
	}
	m, err := g.next(limit)
	m.slice.wall = time.Since(began)
	switch {
	case err != nil:
		return s, false, err
	case m.kind == "ready": // package testing is past it
		g.pending = &m
		return s, true, nil
	case m.kind == "end":
		return s, true, nil
	case m.slice.n != n || m.slice.took < 0:
		return s, false, fmt.Errorf("unexpected message %q", m.kind)
	case m.slice.unseen != 0:
		return s, false, errors.New("the processor's counter of instructions was lent to others meanwhile")
	}
	s = m.slice
	if g.dumps != nil {
		if s.instructions, err = g.dumps.next(); err != nil {
			return s, false, err
		}
	}
	g.waited += s.waited
	g.used += s.used
	if g.waited > idleLeast && float64(g.used) > idleShare*float64(g.waited) {
		g.stops = true
	}
	if g.stops {
		g.signal(suspend)
	}
	return s, false, nil
}

// finish ends the benchmark at hand and returns the metrics that it reported in the end. It is not
// ok where the benchmark failed after its last iteration.
func (g *gated) finish(limit time.Duration) (last []extra, ok bool, err error) {
	if err := g.order(0); err != nil {
		return nil, false, err
	}
	m, err := g.next(limit)
	if err == nil && m.kind == "ready" {
		g.pending = &m
	}
	return m.slice.extra, err == nil && m.kind == "end" && m.status == "ok", err
}

// slice is what a run of iterations took.
type slice struct {
	n             int
	took          time.Duration
	allocs, bytes int64
	setBytes      int64 // of b.SetBytes
	cycles        int64 // garbage collections
	waited, used  time.Duration
	instructions  int64         // executed, where they are counted
	unseen        time.Duration // while the processor's counter did not count
	cpu           time.Duration // of the process, where the slice is profiled
	wall          time.Duration // from the order to the answer
	extra         []extra
}

// extra is a metric of b.ReportMetric.
type extra struct {
	unit  string
	value float64
}

// secPerOp is the time per operation, as package testing prints it. It is not ok where the
// benchmark suppressed it.
func (s slice) secPerOp() (v float64, ok bool) {
	for _, e := range s.extra {
		if e.unit == "ns/op" {
			return e.value * 1e-9, e.value != 0
		}
	}
	return float64(s.took) / float64(s.n) * 1e-9, true
}

// message is one line from the gate.
type message struct {
	kind   string // "ready", "slice" or "end"
	name   string // of the benchmark, with "Benchmark"; not for "slice"
	status string // of "end": "ok", "failed", "skipped"
	slice  slice
}

const (
	maxMessage = 256 << 10
	maxExtras  = 1000
)

// parseMessage parses a line of a stranger's program: the benchmark itself could write to the pipe.
func parseMessage(line string) (message, error) {
	m := message{}
	var rest string
	var ok bool
	m.kind, rest, _ = strings.Cut(line, " ")
	switch m.kind {
	case "ready":
		m.name, rest, ok = quoted(rest)
		if !ok || rest != "" {
			return m, badMessage(line)
		}
		return m, nil
	case "end":
		if m.name, rest, ok = quoted(rest); !ok {
			return m, badMessage(line)
		}
		m.status, rest, _ = strings.Cut(strings.TrimPrefix(rest, " "), " ")
		if m.status != "ok" && m.status != "failed" && m.status != "skipped" {
			return m, badMessage(line)
		}
	case "slice":
		var n, took, waited, used, unseen, cpu int64
		for _, v := range []*int64{&n, &took, &m.slice.allocs, &m.slice.bytes, &m.slice.setBytes, &m.slice.cycles, &waited, &used, &m.slice.instructions, &unseen, &cpu} {
			var field string
			field, rest, _ = strings.Cut(rest, " ")
			var err error
			if *v, err = strconv.ParseInt(field, 10, 64); err != nil {
				return m, badMessage(line)
			}
		}
		if n <= 0 || n > math.MaxInt32 {
			return m, badMessage(line)
		}
		m.slice.n, m.slice.took = int(n), time.Duration(took)
		m.slice.waited, m.slice.used = time.Duration(waited), time.Duration(used)
		m.slice.unseen, m.slice.cpu = time.Duration(unseen), time.Duration(cpu)
	default:
		return m, badMessage(line)
	}
	for rest != "" {
		var e extra
		var field string
		if e.unit, rest, ok = quoted(rest); !ok || len(m.slice.extra) >= maxExtras {
			return m, badMessage(line)
		}
		field, rest, _ = strings.Cut(strings.TrimPrefix(rest, " "), " ")
		var err error
		if e.value, err = strconv.ParseFloat(field, 64); err != nil {
			return m, badMessage(line)
		}
		m.slice.extra = append(m.slice.extra, e)
	}
	return m, nil
}

// quoted cuts a quoted string off the front of s.
func quoted(s string) (text, rest string, ok bool) {
	prefix, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", s, false
	}
	text, err = strconv.Unquote(prefix)
	return text, s[len(prefix):], err == nil
}

func badMessage(line string) error { return fmt.Errorf("not a message of the gate: %s", clip(line)) }

// over reports whether err says that the process has ended or left the conversation.
func over(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed) || errors.Is(err, errBroken)
}
