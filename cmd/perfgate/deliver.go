package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/github"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// deliver writes the reports, prints one and hands the Markdown to the Actions runner where there
// is one. A runner that cannot be told is a warning: it changes no verdict.
func (p *project) deliver(d *report.Document, asJSON bool) error {
	errs := []error{p.writeFile(latestFile, d.File)}
	for _, f := range report.Formats {
		if f.File == "" {
			continue
		}
		var buf bytes.Buffer
		if err := f.Write(&buf, d); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.File, err))
			continue
		}
		errs = append(errs, p.write(f.File, buf.Bytes()))
	}
	errs = append(errs, p.app.print(d, asJSON))
	p.tellRunner(d)
	return errors.Join(errs...)
}

// print writes the report to standard output.
func (a *app) print(d *report.Document, asJSON bool) error {
	if asJSON {
		return report.JSON(a.stdout, d)
	}
	return report.Text(a.stdout, d)
}

// tellRunner gives summary, outputs and annotations to a GitHub Actions runner.
func (p *project) tellRunner(d *report.Document) {
	a, dir := p.app, p.reportsFromWorkspace()
	if a.runner.Active() {
		endOthers()
	}
	if a.wants("summary") {
		a.summarise(d, filepath.ToSlash(filepath.Join(dir, latestFile)))
	}
	a.set(outputs(d, dir, p.origins))
	if !a.runner.Active() || !a.wants("annotations") {
		return
	}
	if err := a.runner.Annotate(p.annotations(d)); err != nil {
		a.warn("annotations: %v", err)
	}
}

// wants reports whether an input of the action asks for something. Commands that are not the action do all.
func (a *app) wants(input string) bool { return a.posting == nil || a.posting.inputs.yes(input) }

// reportsFromWorkspace is the reports folder as later steps of a job see it, which do not run in
// the action's container.
func (p *project) reportsFromWorkspace() string {
	ws := p.app.runner.Workspace()
	if ws == "" {
		ws = p.root
	}
	if real, err := filepath.EvalSymlinks(ws); err == nil {
		ws = real
	}
	rel, err := filepath.Rel(ws, p.reports(""))
	if err != nil || !filepath.IsLocal(rel) {
		return p.config.ReportsDir
	}
	return rel
}

// tellExit gives the runner the exit code, and the verdict where no report did.
func (a *app) tellExit(code int) { a.set(exitOutputs(code)) }

func exitOutputs(code int) [][2]string {
	out := [][2]string{{"exit-code", strconv.Itoa(code)}}
	if code != exitOK && code != exitFail {
		out = append(out, [2]string{"verdict", string(compare.Error)})
	}
	return out
}

// outputs are the action's outputs: fixed words, numbers and paths.
func outputs(d *report.Document, dir string, from origins) [][2]string {
	out := [][2]string{
		{"report", filepath.ToSlash(filepath.Join(dir, "before_after.md"))},
		{"report-json", filepath.ToSlash(filepath.Join(dir, latestFile))},
	}
	for _, r := range []struct {
		name   string
		set    *result.Set
		source harness.Source
	}{{"base", d.File.Base, from.base}, {"baseline", d.File.Baseline, from.baseline}} {
		commit := ""
		if r.set == nil {
			r.source = none
		} else if isCommit.MatchString(r.set.Commit) {
			commit = r.set.Commit
		}
		out = append(out, [2]string{r.name + "-sha", commit}, [2]string{r.name + "-source", string(r.source)})
	}
	return append(out, counts(d)...)
}

// counts are the verdict and how often each of the rows' verdicts is there.
func counts(d *report.Document) [][2]string {
	out := [][2]string{{"verdict", string(d.Gate())}}
	for _, v := range compare.Verdicts {
		out = append(out, [2]string{outputName(v), strconv.Itoa(d.Outcome.Count(v))})
	}
	return out
}

// origins say where what was compared with came from.
type origins struct{ base, baseline harness.Source }

// The sources that are no base commit.
const (
	none     harness.Source = "none"
	workTree harness.Source = "file"
)

// isCommit matches a commit's hash. That of a baseline is what its file says.
var isCommit = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// outputName is the plural where English has one.
func outputName(v compare.Verdict) string {
	switch v {
	case compare.Regression, compare.Improvement:
		return string(v) + "s"
	}
	return string(v)
}

// annotations are one for each row that fails the gate and for each reason without a verdict.
func (p *project) annotations(d *report.Document) []github.Annotation {
	var as []github.Annotation
	for _, c := range d.Outcome.Comparisons {
		if c.Failing() {
			file, line := p.position(c.Key)
			as = append(as, github.Annotation{Level: "error", Title: "perfgate: " + string(c.Verdict), Message: report.Sentence(c), File: file, Line: line})
		}
	}
	for _, c := range d.Outcome.Budgets {
		if c.Verdict == compare.BudgetBroken {
			file, line := p.position(c.Key)
			as = append(as, github.Annotation{Level: "error", Title: "perfgate: budget broken", Message: report.BudgetSentence(c), File: file, Line: line})
		}
	}
	for _, c := range d.Outcome.Waivers {
		if c.State == compare.WaiverExpired {
			as = append(as, github.Annotation{Level: "error", Title: "perfgate: waiver expired", Message: report.WaiverSentence(c)})
		}
	}
	for _, text := range d.Outcome.Unmet {
		as = append(as, github.Annotation{Level: "error", Title: "perfgate: requirement not met", Message: report.Inert(text)})
	}
	for _, problem := range d.Outcome.Problems {
		as = append(as, github.Annotation{Level: "error", Title: "perfgate: no verdict", Message: problem})
	}
	return as
}
