package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// reportFile judges a stored run again: the same file gives the same verdict.
func (a *app) reportFile(_ context.Context, args []string) error {
	f := newFlags("report", "FILE")
	format := f.set.String("format", "text", "text, markdown, json, base or head")
	if err := f.parse(a, args, 1); err != nil {
		return ignoreHelp(err)
	}
	write, err := formatNamed(*format)
	if err != nil {
		return err
	}
	file, err := readResult(f.set.Arg(0))
	if err != nil {
		return err
	}
	d, err := document(file)
	if err != nil {
		return fmt.Errorf("%s: %w", f.set.Arg(0), err)
	}
	if err := write(a.stdout, d); err != nil {
		return err
	}
	return gateError(d.Gate())
}

// document judges a stored file by the policy that it holds.
func document(f *result.File) (*report.Document, error) {
	d := &report.Document{File: f, Policy: compare.DefaultPolicy}
	if len(f.Policy) > 0 {
		if err := json.Unmarshal(f.Policy, &d.Policy); err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		if err := d.Policy.Check(); err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
	}
	d.Outcome = compare.Judge(f, d.Policy)
	return d, nil
}
