package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// memoryFile holds the last run of perfgate mem.
const memoryFile = "memory.json"

// memFlags are those of perfgate mem.
type memFlags struct {
	*flags
	args                 []string // behind --
	every, limit         string
	warn, most, net      string
	asJSON               bool
	pause, timeout       time.Duration
	warnB, mostB, netMax *int64
	leaks                leakFlags
}

// mem watches the memory of a program.
func (a *app) mem(ctx context.Context, args []string) error {
	f := &memFlags{flags: newFlags("mem", "[-- PROGRAM [ARG...]]")}
	f.set.StringVar(&f.every, "every", "10ms", "`DURATION` between two readings")
	f.set.StringVar(&f.limit, "timeout", "0", "`DURATION` after which the program counts as hung; 0 for any")
	f.set.StringVar(&f.most, "max", "", "`SIZE` that the process tree may hold in RAM: more fails")
	f.set.StringVar(&f.warn, "warn", "", "`SIZE` in RAM from which on to warn")
	f.set.StringVar(&f.net, "max-net", "", "`SIZE` that the live heap may gain from the first mark of the program to the last: more fails")
	f.leaks.add(f.flags)
	f.options("packages", "bench", "tags", "budget", "prepare", "pass-env", "seed", "reports-dir", "working-directory")
	f.set.BoolVar(&f.asJSON, "json", false, "print what is written to memory.json, or with --leaks to latest.json")
	args, f.args = behindDashes(args)
	if err := f.parse(a, args, 0); err != nil {
		return ignoreHelp(err)
	}
	if err := f.read(); err != nil {
		return err
	}
	p, err := a.configure(f.flags)
	if err != nil {
		return err
	}
	if f.leaks.wanted {
		return f.findLeaks(ctx, p)
	}
	if err := p.startable(f.args[0]); err != nil {
		return err
	}
	program := harness.Program{Args: f.args, Limit: f.timeout, Environ: a.childEnv(), PassEnv: p.config.PassEnv}
	run, err := program.Memory(ctx, p.root, f.pause)
	if run == nil {
		return err
	}
	if werr := f.show(p, run); err == nil {
		err = werr
	}
	if err != nil {
		return err
	}
	return f.judge(a, run)
}

// read checks the flags.
func (f *memFlags) read() (err error) {
	if err := f.leaks.read(f); err != nil {
		return err
	}
	if len(f.args) == 0 && !f.leaks.wanted {
		return usagef("no program to run; name it behind --, or look with --leaks for what the benchmarks leave behind")
	}
	for name, d := range map[string]*time.Duration{"every": &f.pause, "timeout": &f.timeout} {
		if *d, err = load.ParseDuration(f.set.Lookup(name).Value.String()); err != nil {
			return usagef("--%s: %q: want a duration such as 10ms or 90s that is not negative", name, f.set.Lookup(name).Value)
		}
	}
	if f.pause <= 0 {
		return usagef("--every: %q: want more than nothing", f.every)
	}
	for name, to := range map[string]**int64{"max": &f.mostB, "warn": &f.warnB, "max-net": &f.netMax} {
		text := f.set.Lookup(name).Value.String()
		if text == "" {
			continue
		}
		n, err := humanize.ParseBytes(text)
		if err != nil || n > 1<<62 {
			return usagef("--%s: %q: want a size such as 4096 or 64 MiB", name, text)
		}
		*to = new(int64(n))
	}
	return nil
}

// judge holds the run to the limits.
func (f *memFlags) judge(a *app, run *harness.MemoryRun) error {
	failed := false
	say := func(what string, v, limit int64) {
		a.say("%s: %s, the limit is %s", what, bytesOf(v), bytesOf(limit))
		failed = true
	}
	if f.mostB != nil && run.Peak == 0 { // which is below every limit
		return fmt.Errorf("--max: the program ended after %v, before its memory could be read: let it do more, or read more often with --every", run.Wall.Round(time.Microsecond))
	}
	if f.mostB != nil && run.Peak > *f.mostB {
		say("peak memory", run.Peak, *f.mostB)
	}
	if f.netMax != nil {
		if len(run.Steps) < 2 {
			return fmt.Errorf("--max-net: the program has %s, and needs two at least (docs/probe.md)", english.Plural(len(run.Steps), "memory mark", ""))
		}
		first, last := run.Steps[0], run.Steps[len(run.Steps)-1]
		if net := last.Now.LiveBytes - first.Now.LiveBytes; net > *f.netMax {
			say(fmt.Sprintf("live heap gained from %s to %s", report.Inert(first.Label), report.Inert(last.Label)), net, *f.netMax)
		}
	}
	if f.warnB != nil && run.Peak > *f.warnB && !failed {
		a.warn("peak memory: %s, above %s", bytesOf(run.Peak), bytesOf(*f.warnB))
	}
	if failed {
		return errFail
	}
	return nil
}

func bytesOf(n int64) string { return report.Value(float64(n), result.UnitOf("B/op")) }

// show writes the run to its file and prints it.
func (f *memFlags) show(p *project, run *harness.MemoryRun) error {
	data, err := json.MarshalIndent(struct {
		Program []string `json:"program"`
		*harness.MemoryRun
	}{f.args, run}, "", "  ")
	if err != nil {
		return err
	}
	data = append(data, '\n')
	if err := p.write(memoryFile, data); err != nil {
		return err
	}
	out := p.app.stdout
	if f.asJSON {
		_, err := out.Write(data)
		return err
	}
	most := proc.Memory{}
	for _, point := range run.Timeline.Points {
		most.Processes, most.Descriptors = max(most.Processes, point.Processes), max(most.Descriptors, point.Descriptors)
	}
	fmt.Fprintf(out, "%s: %s, peak %s in RAM, at most %s and %s in %s\n",
		report.Inert(strings.Join(f.args, " ")), run.Wall.Round(time.Millisecond), bytesOf(run.Peak), english.Plural(most.Processes, "process", ""), english.Plural(most.Descriptors, "descriptor", ""), english.Plural(run.Timeline.Readings, "reading", ""))
	fmt.Fprintf(out, "  control group: %s\n", ofGroup(run.Group))
	fmt.Fprintf(out, "  0 s %s %s\n", curve(run.Timeline.Points, run.Wall), run.Wall.Round(time.Millisecond))
	if err := steps(out, run.Steps); err != nil {
		return err
	}
	for _, n := range run.Notes {
		p.app.warn("%s", report.Inert(n))
	}
	_, err = fmt.Fprintf(out, "written to %s\n", filepath.Join(p.config.ReportsDir, memoryFile))
	return err
}

// ofGroup says what is known of the program's control group.
func ofGroup(g harness.GroupPeak) string {
	switch {
	case g.Missing != "":
		return "not available here: " + report.Inert(g.Missing)
	case g.Shared:
		return "peak " + bytesOf(g.Bytes) + ", with perfgate in it"
	}
	return "peak " + bytesOf(g.Bytes) + ", with files that it read and the kernel's part"
}

// steps prints what came between the marks.
func steps(out io.Writer, all []harness.MemoryStep) error {
	if len(all) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "step to\tat\tin RAM at most\theap at most\tlive heap\tnet\tallocated\tobjects\tcollections\tgoroutines")
	for _, s := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\n", report.Inert(s.Label), s.At.Round(time.Millisecond), bytesOf(s.TreePeak), bytesOf(s.Peak),
			bytesOf(s.Now.LiveBytes), signed(s.Net), bytesOf(s.Allocated), s.Objects, s.Cycles, s.Now.Goroutines)
	}
	return w.Flush()
}

func signed(n int64) string {
	if n > 0 {
		return "+" + bytesOf(n)
	}
	return bytesOf(n)
}

// curveWidth is the number of characters of a timeline.
const curveWidth = 60

// curve draws memory over time, the highest of each stretch.
func curve(points []proc.Point, wall time.Duration) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	var high [curveWidth]int64
	top := int64(1)
	for _, p := range points {
		at := min(int(int64(p.At)*curveWidth/max(1, int64(wall))), curveWidth-1)
		high[at] = max(high[at], p.RSS)
		top = max(top, p.RSS)
	}
	var b strings.Builder
	for i, v := range high {
		if v == 0 && i > 0 { // nobody looked meanwhile
			v, high[i] = high[i-1], high[i-1]
		}
		b.WriteRune(bars[int(v*int64(len(bars)-1)/top)])
	}
	return b.String()
}
