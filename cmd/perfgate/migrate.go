package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// migration is what baseline migrate did, as --json prints it.
type migration struct {
	File string `json:"file"`
	From int    `json:"from_schema"`
	To   int    `json:"to_schema"`
	// Kept are the units of the values that were lifted.
	Kept []string `json:"kept"`
	// LeftOut says what has no place in the new schema, Copy where the file that has it still lies.
	LeftOut []string `json:"left_out"`
	Copy    string   `json:"copy,omitempty"`
}

// baselineMigrate lifts a file of schema 1 to the schema of today in its place.
func (a *app) baselineMigrate(args []string) error {
	f := newFlags("baseline migrate", "[FILE]")
	f.options("reports-dir", "working-directory")
	asJSON := f.set.Bool("json", false, "print what was done as JSON")
	if err := f.parse(a, args, 0, 1); err != nil {
		return ignoreHelp(err)
	}
	p, err := a.configure(f)
	if err != nil {
		return err
	}
	name := p.reports(baselineFile)
	if f.set.NArg() > 0 {
		name = f.set.Arg(0)
	}
	m, err := p.migrate(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && f.set.NArg() == 0:
		return p.noBaseline()
	case errors.Is(err, fs.ErrNotExist):
		return err
	case err != nil:
		return fmt.Errorf("%w; the file stays as it was", err)
	case *asJSON:
		return printJSON(a.stdout, m)
	}
	m.print(a)
	return nil
}

// migrate lifts a file. One of today's schema is not touched.
func (p *project) migrate(name string) (*migration, error) {
	f, err := readResult(name)
	if err != nil {
		return nil, err
	}
	m := &migration{File: name, From: f.SchemaVersion, To: result.Schema, Kept: []string{}, LeftOut: []string{}}
	if m.From == m.To {
		return m, nil
	}
	m.LeftOut = append(m.LeftOut, f.Warnings...)
	for _, b := range f.Head.Benchmarks {
		for _, metric := range b.Metrics {
			m.Kept = append(m.Kept, metric.Unit.Name)
		}
	}
	f.Tool = tool()
	var lifted bytes.Buffer
	if err := f.Write(&lifted); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(m.LeftOut) > 0 {
		m.Copy = strings.TrimSuffix(name, filepath.Ext(name)) + ".schema1" + filepath.Ext(name)
		if err := keepCopy(name, m.Copy); err != nil {
			return nil, err
		}
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	return m, p.replace(name, lifted.Bytes(), info.Mode().Perm())
}

// keepCopy copies a file to a name that nothing else has.
func keepCopy(from, to string) (err error) {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		if there, err := os.ReadFile(to); err == nil && bytes.Equal(there, data) { // of a migration that failed
			return nil
		}
		return fmt.Errorf("%s is where the old file would be kept: move it away", to)
	}
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	return errors.Join(err, out.Close())
}

func (m *migration) print(a *app) {
	if m.From == m.To {
		fmt.Fprintf(a.stdout, "%s: is of schema %d already\n", m.File, m.To)
		return
	}
	fmt.Fprintf(a.stdout, "%s: lifted from schema %d to %d, thresholds only, without statistics\n", m.File, m.From, m.To)
	fmt.Fprintf(a.stdout, "kept: %s\n", strings.Join(m.Kept, ", "))
	for _, text := range m.LeftOut {
		fmt.Fprintf(a.stdout, "left out: %s\n", report.Inert(text))
	}
	if m.Copy != "" {
		fmt.Fprintf(a.stdout, "the old file is kept as %s\n", m.Copy)
	}
	fmt.Fprintln(a.stdout, "nothing is judged against thresholds; measure a baseline with: perfgate baseline update")
}
