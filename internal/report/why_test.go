package report

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/result"
)

// The three lines that say the most come first: more calls, then functions, and spans before allocations where they wait
// for longer than functions compute.
func TestWhyUnderLoad(t *testing.T) {
	computes, waits, none, untold := grownUnderLoad(), grownUnderLoad(), grownUnderLoad(), &result.Why{Missing: "no profile of the program"}
	waits.Calls, waits.Spans[0].Head = nil, 0.1
	none.Own, none.Allocs, none.Calls, none.Missing = nil, nil, none.Calls[1:], "no profile of the program: try"
	var got bytes.Buffer
	for _, w := range []*result.Why{computes, waits, none, untold, {}} {
		if err := Why(&got, "agent", w); err != nil {
			t.Fatal(err)
		}
	}
	want := `why agent:
  12 → 24 calls a run of POST /v1/chat/completions gpt-mock: more in every run, 12 of them ask again what the run had asked before
  main.rank (example.com/module/cmd/agent/plan.go:31): 1.000ms → 18.00ms of CPU time a run, called by main.handle
  main.rank (example.com/module/cmd/agent/plan.go:30): 120.5 → 4.000k allocs a run
why agent:
  main.rank (example.com/module/cmd/agent/plan.go:31): 1.000ms → 18.00ms of CPU time a run, called by main.handle
  20.00ms → 100.0ms of own time a run in span plan
  main.rank (example.com/module/cmd/agent/plan.go:30): 120.5 → 4.000k allocs a run
why agent:
  1 → 1.25 calls a run of POST /v1/embeddings text-embedding-mock: more in 5 of 20 runs, first in run 3
  20.00ms → 40.00ms of own time a run in span plan
  1024 → 0 input tokens from the prompt cache a run of POST /v1/messages claude-mock
  Not explained further: no profile of the program: try.
why agent:
  Not explained: no profile of the program.
why agent:
  The profiles show no function that costs more beyond their own noise.
`
	if d := cmp.Diff(want, got.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// A dependency that is another version stands beside its function that grew, and what an allocation profile finds by
// chance behind all that is sure.
func TestWhyUpgraded(t *testing.T) {
	own := []result.Growth{{Function: "ex.org/dep/v2/in.(*T).Append", File: "ex.org/dep/v2/in/t.go", Line: 7, Unit: "sec/op", Base: 1e-9, Head: 5e-9}}
	some := []result.Growth{{Function: "ex.org/m.F", File: "ex.org/m/m.go", Line: 3, Unit: "allocs/op", Base: 1, Head: 1.7}}
	flat := []result.Growth{{Function: "runtime.memmove", File: "runtime/memmove_amd64.s", Line: 5, Unit: "sec/op", Head: 2e-9}}
	modules := []string{"ex.org/dep/v2 v2.0.0 → v2.1.0"}
	other := []result.Growth{{Function: "ex.org/dep/v22.F", File: "ex.org/dep/v22/f.go", Line: 7, Unit: "sec/op", Base: 1e-9, Head: 5e-9}}
	var got bytes.Buffer
	for _, w := range []*result.Why{{Own: own, Allocs: some, Any: flat, Modules: modules}, {Own: other, Any: flat, Modules: modules}} {
		if err := Why(&got, "F", w); err != nil {
			t.Fatal(err)
		}
	}
	want := `why F:
  in.(*T).Append (ex.org/dep/v2/in/t.go:7): 1.000ns → 5.000ns of CPU time an operation
  built with ex.org/dep/v2 v2.0.0 → v2.1.0
  runtime.memmove (runtime/memmove_amd64.s:5): 0s → 2.000ns of CPU time an operation, by itself
why F:
  dep/v22.F (ex.org/dep/v22/f.go:7): 1.000ns → 5.000ns of CPU time an operation
  runtime.memmove (runtime/memmove_amd64.s:5): 0s → 2.000ns of CPU time an operation, by itself
  built with ex.org/dep/v2 v2.0.0 → v2.1.0
`
	if d := cmp.Diff(want, got.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
