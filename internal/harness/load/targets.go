package load

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/org/perfgate/internal/cache"
	"github.com/org/perfgate/internal/suggest"
)

// Settings are what the user says of a target, whichever it is.
type Settings struct {
	// Target is the name of a row of Targets, or a URL.
	Target string
	// Args are the program: the command, or the server to start. Dir is where.
	Args []string
	Dir  string
	// Env is the whole environment of a run's process, or of the server where it is given nil.
	Env func(run *int) []string
	// Request is what a run sends, but for the URL. Health and Wait say when the server is ready.
	Request Request
	Health  string
	Wait    time.Duration

	// LLM, URL, Tasks, Caches and OpenCache are the pipeline's.
	LLM       http.RoundTripper
	URL       string
	Tasks     int
	Caches    int
	OpenCache func(ctx context.Context, i int) (*cache.Store, error)

	InFlight int
	Seed     uint64
	Clock    Clock
}

// TargetRow is a kind of target.
type TargetRow struct {
	Name, Usage string
	// Virtual says that it can run in virtual time.
	Virtual bool
	// Program says what it does with a program: "must", "may" or "no".
	Program Program

	is   func(text string) bool
	open func(s Settings) func(context.Context) (Target, error)
}

// Program says whether a target has one.
type Program int

// What a target does with a program.
const (
	NoProgram Program = iota
	MayStart
	MustRun
)

// Targets is the one list of kinds of target. Help, errors and the tests range over it.
var Targets = []TargetRow{
	{
		Name: "pipeline", Usage: "an agent program that is built in", Virtual: true,
		is: func(text string) bool { return text == "pipeline" },
		open: func(s Settings) func(context.Context) (Target, error) {
			return Pipeline{LLM: s.LLM, URL: s.URL, Model: DefaultModel, Tasks: s.Tasks, Caches: s.Caches, OpenCache: s.OpenCache, Seed: s.Seed, Clock: s.Clock}.Open
		},
	},
	{
		Name: "http://HOST/PATH", Usage: "a server; the program behind --, if any, is started and stopped", Program: MayStart,
		is: func(text string) bool {
			return strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://")
		},
		open: func(s Settings) func(context.Context) (Target, error) {
			h := HTTP{Request: s.Request, Health: s.Health, Wait: s.Wait, InFlight: s.InFlight, Clock: s.Clock}
			h.Request.URL = s.Target
			if len(s.Args) > 0 {
				h.Server = &Server{Args: s.Args, Dir: s.Dir, Env: s.Env(nil)}
			}
			return h.Open
		},
	},
	{
		Name: "command", Usage: "the program behind --, once for each run", Program: MustRun,
		is: func(text string) bool { return text == "command" },
		open: func(s Settings) func(context.Context) (Target, error) {
			return Command{Args: s.Args, Dir: s.Dir, Env: func(run int) []string { return s.Env(&run) }, Limit: hung}.Open
		},
	},
}

// hung is when a process ends that has no other limit.
const hung = 24 * time.Hour

// Row finds the kind of target that the settings mean, and checks what does not fit it.
func (s Settings) Row() (TargetRow, error) {
	var names []string
	for _, row := range Targets {
		names = append(names, row.Name)
		if !row.is(s.Target) {
			continue
		}
		_, virtual := s.Clock.(*VirtualClock)
		switch {
		case virtual && !row.Virtual:
			return row, fieldErrorf("clock", "a program of its own runs in real time; virtual time is for the pipeline")
		case row.Program == NoProgram && len(s.Args) > 0:
			return row, fieldErrorf("target", "%q is no program; for %q say --target command, or the URL that it serves", s.Target, s.Args[0])
		case row.Program == MustRun && len(s.Args) == 0:
			return row, fieldErrorf("target", "no program to run; name it behind --, such as: --target command -- ./agent --once")
		}
		return row, nil
	}
	return TargetRow{}, fieldErrorf("target", "%q is none of %s%s", s.Target, strings.Join(names, ", "), suggest.Question(s.Target, names))
}

// Open makes the target ready.
func (s Settings) Open(ctx context.Context) (Target, error) {
	row, err := s.Row()
	if err != nil {
		return nil, err
	}
	return row.open(s)(ctx)
}
