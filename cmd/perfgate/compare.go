package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/parse"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// compareFiles judges two result files.
func (a *app) compareFiles(_ context.Context, args []string) error {
	f := newFlags("compare", "BASE HEAD")
	f.options("effect", "strict")
	interleaved := f.set.Bool("interleaved", false, "the two files' samples were taken in turn: treat them as pairs")
	format := f.set.String("format", "text", "text, markdown or json")
	asJSON := f.set.Bool("json", false, "the same as --format json")
	if err := f.parse(a, args, 2); err != nil {
		return ignoreHelp(err)
	}
	if *asJSON {
		*format = "json"
	}
	write, err := formatNamed(*format)
	if err != nil {
		return err
	}
	p, err := a.configure(f)
	if err != nil {
		return err
	}
	d, err := a.compareDocument(p.config, f.set.Arg(0), f.set.Arg(1), *interleaved)
	if err != nil {
		return err
	}
	if err := write(a.stdout, d); err != nil {
		return err
	}
	return gateError(d.Gate())
}

func formatNamed(name string) (func(io.Writer, *report.Document) error, error) {
	var names []string
	for _, f := range report.Formats {
		if f.Name == name {
			return f.Write, nil
		}
		names = append(names, f.Name)
	}
	return nil, usagef("--format %q: want one of %s", name, strings.Join(names, ", "))
}

// compareDocument judges two files. What they were measured for does not matter: head's Set of each
// is compared.
func (a *app) compareDocument(c *config.Config, base, head string, interleaved bool) (*report.Document, error) {
	b, err := parseFile(base)
	if err != nil {
		return nil, err
	}
	h, err := parseFile(head)
	if err != nil {
		return nil, err
	}
	policy := c.Policy()
	policy.Interleaved = interleaved
	f := &result.File{SchemaVersion: result.Schema, Tool: tool(), GeneratedAt: h.GeneratedAt, Head: h.Head, Base: b.Head}
	for _, side := range []*result.File{b, h} {
		f.Warnings = append(f.Warnings, side.Warnings...)
		if side.ThresholdsOnly {
			f.Warnings = append(f.Warnings, "a file of thresholds has single values without samples: nothing can be concluded from them but their size")
		}
	}
	if f.GeneratedAt.IsZero() && len(policy.Waivers) > 0 { // which end on a day
		f.GeneratedAt = a.now().UTC()
	}
	f.Base.Ref, f.Head.Ref = base, head
	f.Base.Sort()
	f.Head.Sort()
	return &report.Document{File: f, Policy: policy, Outcome: compare.Judge(f, policy)}, nil
}

func parseFile(name string) (*result.File, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	f, err := parse.Parse(in, name)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return f, nil
}
