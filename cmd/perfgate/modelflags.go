package main

import (
	"os"
	"strconv"

	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/harness/mockllm"
)

// modelFlags are the flags that say what the mocked model does, of every command that has one.
type modelFlags struct {
	latency, itl, tokens, script string
	faults                       []string
}

// add adds the flags, with the latency that there is where nobody says another.
func (m *modelFlags) add(f *flags, latency string) {
	f.StringVar(&m.latency, "llm-latency", latency, "`DELAY` of the first token: seconds, a duration, or a distribution such as lognormal:p50=120ms,p99=400ms; see docs/mock.md")
	f.StringVar(&m.itl, "itl", "0", "`DELAY` from a token to the next, likewise")
	f.StringVar(&m.tokens, "tokens", strconv.Itoa(mockllm.DefaultTokens), "`COUNT` of tokens of an answer, a number or a distribution")
	f.StringArrayVar(&m.faults, "faults", nil, "`FAULT` such as 429:rate=5%, 500:on=1+5, reset, stall, truncate:after=3; may be repeated")
	f.StringVar(&m.script, "script", "", "YAML or JSON `FILE` with latencies by model, replies and faults; flags win over it")
}

// read reads what the flags and the script say.
func (m *modelFlags) read(f *flags) (mockllm.Script, error) {
	var s mockllm.Script
	if m.script != "" {
		script, err := readScript("script", m.script)
		if err != nil {
			return s, err
		}
		s = *script
	}
	for _, d := range []struct {
		name, text string
		to         *mockllm.Dist
		read       func(string, func(string) ([]byte, error)) (mockllm.Dist, error)
	}{
		{"llm-latency", duration(m.latency), &s.TTFT, mockllm.ParseDelay},
		{"itl", duration(m.itl), &s.ITL, mockllm.ParseDelay},
		{"tokens", m.tokens, &s.Tokens, mockllm.ParseCount},
	} {
		if m.script != "" && !f.Changed(d.name) {
			continue // the default is weaker than the script
		}
		var err error
		if *d.to, err = d.read(d.text, os.ReadFile); err != nil {
			return s, usagef("--%s: %v", d.name, err)
		}
	}
	for _, text := range m.faults {
		fault, err := mockllm.ParseFault(text)
		if err != nil {
			return s, usagef("--faults %s: %v", text, err)
		}
		s.Faults = append(s.Faults, fault)
	}
	return s, nil
}

// duration writes a delay that does not vary in one way: it is one scenario, however it was written.
func duration(text string) string {
	if d, err := load.ParseDuration(text); err == nil {
		return d.String()
	}
	return text
}

// readScript reads the script that a flag names.
func readScript(flag, name string) (*mockllm.Script, error) {
	script, err := mockllm.ReadScriptFile(name)
	if err != nil {
		return nil, usagef("--%s: %v", flag, err)
	}
	return script, nil
}
