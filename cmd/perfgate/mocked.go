package main

import (
	"context"
	"fmt"

	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/harness/mockllm"
	"github.com/org/perfgate/internal/harness/upstream"
)

// mocked starts the mock that the configuration names, for benchmarks that call a model. Each of their processes has
// a key of its own as well: limits are the key's.
func (p *project) mocked(ctx context.Context, bench *harness.GoBench) (stop func(), err error) {
	if p.config.Mock == "" {
		return func() {}, nil
	}
	script, err := readScript("mock", p.inRoot(p.config.Mock), p.reader(ctx))
	if err != nil {
		return nil, err
	}
	server, err := mockllm.New(mockllm.Config{Seed: scenarioSeed, Script: *script})
	if err != nil {
		return nil, usagef("--mock: %v", err)
	}
	url, stopServing, err := upstream.Serve(server)
	if err != nil {
		server.Close()
		return nil, err
	}
	bench.Upstream = &harness.Upstream{
		Environ: func(run string) []string { return mockllm.Environ(url, run, "perfgate-"+run) },
		Counts: func(run string) harness.UpstreamCounts {
			s := server.RunStats(run)
			return harness.UpstreamCounts{Calls: s.Calls, Attempts: s.Attempts, InputTokens: s.InputTokens, OutputTokens: s.OutputTokens}
		},
		Scenario: fmt.Sprintf("mock=%s; seed=%d", scriptName(p.config.Mock, script), scenarioSeed),
	}
	return func() { stopServing(); server.Close() }, nil
}
