package main

import (
	"fmt"
	"sync/atomic"

	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/harness/mockllm"
	"github.com/org/perfgate/internal/harness/upstream"
)

// mocked starts the mock that the configuration names, for benchmarks that call a model, and leads each of their
// processes to it. Each is a run of its own: base and head get the same delays for the same calls.
func (p *project) mocked(bench *harness.GoBench) (stop func(), err error) {
	if p.config.Mock == "" {
		return func() {}, nil
	}
	script, err := readScript("mock", p.inRoot(p.config.Mock))
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
	var processes atomic.Uint64
	bench.EachEnv = func() []string { // of the same length for all, since that moves their stacks
		return mockllm.Environ(url, fmt.Sprintf("%08d", processes.Add(1)), "")
	}
	return func() { stopServing(); server.Close() }, nil
}
