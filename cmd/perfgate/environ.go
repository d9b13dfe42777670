package main

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/suggest"
)

// ownVariables are those of perfgate's that are no settings: of package probe, of the mock's clients, and what tells a
// test binary what to do at its gate. A program that is measured may run perfgate.
var ownVariables = []string{"PERFGATE_GLOBAL_CACHE", "PERFGATE_MOCK_URL",
	"PERFGATE_PROBE", "PERFGATE_PROBE_CPU", "PERFGATE_PROBE_GC", "PERFGATE_PROBE_HEAP", "PERFGATE_PROBE_PROFILES",
	"PERFGATE_ALIVE", "PERFGATE_COUNTS", "PERFGATE_GATE", "PERFGATE_INSTRUCTIONS", "PERFGATE_PROFILE", "PERFGATE_STEADY"}

// testVariables begin the names of what perfgate's own tests and scripts read.
const testVariables = "PERFGATE_TEST_"

// variables are the names that the environment may hold: of settings, of load's flags, and perfgate's own.
func variables() []string {
	names := slices.Clone(ownVariables)
	for _, o := range config.Options {
		names = append(names, o.Env())
	}
	newLoadFlags().set.VisitAll(func(f *pflag.Flag) { names = append(names, config.Option{Name: f.Name}.Env()) })
	return names
}

// checkEnvironment refuses variables that nothing reads, as flags and keys are refused: a misspelt one would leave the
// gate as it is by default, and nobody would know.
func (a *app) checkEnvironment() error {
	known := variables()
	for _, kv := range slices.Sorted(slices.Values(a.environ)) {
		name, value, _ := strings.Cut(kv, "=")
		if value == "" || !strings.HasPrefix(name, "PERFGATE_") || strings.HasPrefix(name, testVariables) || slices.Contains(known, name) {
			continue
		}
		return usagef("%s in the environment: no setting has such a name%s", name, suggest.Question(name, known))
	}
	return nil
}
