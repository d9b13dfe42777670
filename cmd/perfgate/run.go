package main

import (
	"context"

	"github.com/org/perfgate/internal/report"
)

// measureOnly measures the work tree alone and writes latest.json.
func (a *app) measureOnly(ctx context.Context, args []string) error {
	f := newFlags("run", "")
	f.options("packages", "bench", "tags", "budget", "prepare", "pass-env", "timeout", "seed", "reports-dir", "working-directory")
	if err := f.parse(a, args, 0); err != nil {
		return ignoreHelp(err)
	}
	p, err := a.configure(f)
	if err != nil {
		return err
	}
	if err := p.open(ctx); err != nil {
		return err
	}
	file, err := p.measure(ctx, nil, nil)
	if file == nil {
		return err
	}
	if werr := p.writeFile(latestFile, file); err == nil {
		err = werr
	}
	if gerr := report.GoBench(a.stdout, file.Head); err == nil {
		err = gerr
	}
	if err == nil {
		err = failures(file.Head)
	}
	return err
}
