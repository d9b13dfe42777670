package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/org/perfgate/internal/harness"
)

// progress shows how far a run is: a bar on a terminal, now and then a line elsewhere.
type progress struct {
	w     io.Writer
	bar   *progressbar.ProgressBar
	tty   bool
	phase string               // of the bar
	last  map[string]time.Time // when a line told of a phase
}

// lineEvery is how often a log that nobody watches gets a line.
const lineEvery = 15 * time.Second

func newProgress(w io.Writer) *progress {
	f, ok := w.(*os.File)
	return &progress{w: w, tty: ok && term.IsTerminal(int(f.Fd())), last: map[string]time.Time{}}
}

// doing says what a phase does.
var doing = map[string]string{"build": "building", "list": "listing benchmarks of", "count": "counting",
	"calibrate": "calibrating",
	"measure":   "measuring",
	"leaks":     "looking for leaks in",
	"load":      "offering load to",
	"link":      "linking", "confirm": "confirming", "explain": "taking profiles of"}

func (p *progress) observe(e harness.Event) {
	if p.tty {
		p.draw(e)
		return
	}
	if last, told := p.last[e.Phase]; told && time.Since(last) < lineEvery { // also where phases take turns
		return
	}
	p.last[e.Phase] = time.Now()
	line := "perfgate: " + doing[e.Phase]
	if e.Phase != "measure" && e.What != "" {
		line += " " + e.What
	}
	if e.Total > 0 {
		line += fmt.Sprintf(" (%d of %d)", e.Done, e.Total)
	}
	if e.Left > 0 {
		line += fmt.Sprintf(", about %v left", e.Left.Round(time.Second))
	}
	fmt.Fprintln(p.w, line)
}

func (p *progress) draw(e harness.Event) {
	if e.Phase != p.phase || p.bar == nil || p.bar.GetMax() != max(e.Total, 1) {
		p.close()
		p.phase = e.Phase
		p.bar = progressbar.NewOptions(max(e.Total, 1), progressbar.OptionSetWriter(p.w), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(false), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionFullWidth())
	}
	text := doing[e.Phase] + " " + short(e.What)
	if e.Left > 0 {
		text += fmt.Sprintf(", %v left", e.Left.Round(time.Second))
	}
	p.bar.Describe(text)
	p.bar.Set(min(e.Done, p.bar.GetMax()-1))
}

// short keeps the end of a long name, which tells benchmarks apart.
func short(name string) string {
	if r := []rune(name); len(r) > 40 {
		return "…" + string(r[len(r)-39:])
	}
	return name
}

// close takes the bar away.
func (p *progress) close() {
	if p.bar != nil {
		p.bar.Finish()
		p.bar = nil
	}
}
