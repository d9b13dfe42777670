package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/org/perfgate/internal/harness/load"
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
	in.heap = l.p.reports(filepath.Join("profiles", strings.Trim(unsafeInName.ReplaceAllString(name, "_"), "._")))
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
