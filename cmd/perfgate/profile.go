package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/report"
)

// profileArgs are profile's subcommands.
const profileArgs = "run|report|diff"

// profile says where time and memory went: of a command that is run, of a run that was stored, or of two profiles.
func (a *app) profile(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "run":
			return a.profileRun(ctx, args[1:])
		case "report":
			return a.profileReport(args[1:])
		case "diff":
			return a.profileDiff(ctx, args[1:])
		case "-h", "--help":
			return ignoreHelp(newFlags("profile", profileArgs).parse(a, args, 0))
		}
	}
	return usagef("want: perfgate profile run, report or diff")
}

// profileRunCommand is how documents call it.
const profileRunCommand = "profile run"

// drawFlags say how a profile is drawn.
type drawFlags struct {
	sort         string
	tree, asJSON bool
}

func (d *drawFlags) add(f *flags) {
	f.set.StringVar(&d.sort, "sort", "self", "`COLUMN` that the table is in the order of: "+orderNames())
	f.set.BoolVar(&d.tree, "tree", false, "print spans as a tree in place of the table by name")
	f.set.BoolVar(&d.asJSON, "json", false, "print the profile as JSON")
}

func orderNames() string {
	text := ""
	for i, o := range profiler.Orders {
		switch {
		case i > 0 && i == len(profiler.Orders)-1:
			text += " or "
		case i > 0:
			text += ", "
		}
		text += o.Name
	}
	return text
}

// check finds the order of the table.
func (d *drawFlags) check() (func(a, b *profiler.Timer) int, error) {
	for _, o := range profiler.Orders {
		if o.Name == d.sort {
			return o.Compare, nil
		}
	}
	return nil, usagef("--sort %q: want %s", d.sort, orderNames())
}

func (a *app) profileReport(args []string) error {
	f := newFlags("profile report", "FILE")
	var how drawFlags
	how.add(f)
	if err := f.parse(a, args, 1); err != nil {
		return ignoreHelp(err)
	}
	if _, err := how.check(); err != nil {
		return err
	}
	d, err := profiler.Read(f.set.Arg(0))
	if err != nil {
		return err
	}
	return how.draw(a.stdout, d)
}

// draw prints a document: perfgate's own spans, and those of each program.
func (d *drawFlags) draw(w io.Writer, doc *profiler.Document) error {
	if d.asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(doc)
	}
	title := fmt.Sprintf("perfgate %s of %s", report.Inert(doc.Command), doc.Began.UTC().Format("2006-01-02 15:04:05 UTC"))
	if doc.Commit != "" {
		title += fmt.Sprintf(", commit %.7s", report.Inert(doc.Commit))
	}
	if doc.Failure != "" {
		title += ", which " + report.Inert(doc.Failure)
	}
	if doc.Command == profileRunCommand { // of which perfgate's own part says nothing
		fmt.Fprintln(w, title)
	} else if err := d.one(w, title, &doc.Profile); err != nil {
		return err
	}
	for _, p := range doc.Programs {
		title := report.Inert(p.Name)
		if p.Side != "" {
			title += ", " + report.Inert(p.Side)
		}
		if p.Samples > 1 {
			title += fmt.Sprintf(", %d samples", p.Samples)
		}
		fmt.Fprintln(w)
		if err := d.one(w, title, &p.Profile); err != nil {
			return err
		}
	}
	return nil
}

// one prints a profile under a title.
func (d *drawFlags) one(w io.Writer, title string, p *profiler.Profile) error {
	fmt.Fprintf(w, "%s: %v\n", title, time.Duration(p.WallNS).Round(time.Microsecond))
	if d.tree {
		return report.ProfileTree(w, p)
	}
	order, err := d.check()
	if err != nil {
		return err
	}
	sorted := *p
	sorted.Timers = slices.SortedStableFunc(slices.Values(p.Timers), order)
	return report.ProfileTable(w, &sorted)
}
