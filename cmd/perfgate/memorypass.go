package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/spans"
)

// unsafeInName are what folders are not called after.
var unsafeInName = regexp.MustCompile(`[^\w.-]+`)

// sampleMemory takes one more sample, for the memory alone: looking at the heap takes time, so that nothing that it
// measures is kept but what its processes told. Where no profile of memory is asked for it does nothing.
func (l *loader) sampleMemory(ctx context.Context, plan load.Plan, name string) error {
	row, err := l.settings(l.clockOf()).Row()
	if r := l.p.profiling; r == nil || !r.memory || err != nil || row.Program == load.NoProgram || len(l.args) == 0 {
		return err
	}
	l.p.profiling.enter("memory")
	in := *l
	in.heap = l.p.reports(filepath.Join(profilesDir, strings.Trim(unsafeInName.ReplaceAllString(name, "_"), "._")))
	if err := l.p.makeReports(); err != nil {
		return err
	}
	trace, _, err := in.sample(ctx, plan, name, name+", its memory")
	delete(in.told, trace)
	if err != nil {
		return err
	}
	for _, file := range []string{spans.HeapBefore, spans.HeapAfter} {
		name := filepath.Join(in.heap, file)
		if _, err := os.Stat(name); err != nil {
			l.p.app.warn("no %s: the program is not in Go, has no spans of package probe, or ended without probe.Flush", name)
			continue
		}
		giveBack(name, l.p.root)
	}
	return nil
}

// sampleProfiles takes two more samples, in which the program gives profiles away of its CPU time and of what it
// allocates, where --pprof says that it does. A sample takes about so long.
func (l *loader) sampleProfiles(ctx context.Context, plan load.Plan, name string, length time.Duration) error {
	if l.pprof == "" {
		return nil
	}
	l.p.profiling.enter("profiles")
	record, _ := l.recordOf(name, plan) // --pprof is for what can be recorded
	for _, kind := range []string{harness.CPUProfile, harness.AllocsProfile} {
		r := &harness.Recording{Kind: kind, Share: 1, Length: length}
		if err := record(ctx, l.dir, r); err != nil {
			return err
		}
		if r.Missing != "" {
			l.p.app.warn("no profile of %s: %s", name, r.Missing)
			return nil
		}
		var buf bytes.Buffer
		if err := r.Profile.Write(&buf); err != nil {
			return err
		}
		file, err := l.p.keepProfile(result.Key{Suite: harness.SuiteLoad, Name: name}, kind, buf.Bytes())
		if err != nil {
			return err
		}
		l.p.app.say("profile of %s: go tool pprof %s", name, file)
	}
	return nil
}
