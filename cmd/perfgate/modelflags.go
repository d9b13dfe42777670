package main

import (
	"fmt"
	"strconv"

	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/harness/mockllm"
)

// modelFlags are the flags that say what the mocked model does, of every command that has one.
type modelFlags struct {
	latency, itl, tokens, prefill string
	promptCache, script           string
	faults, limits                []string
}

// add adds the flags, with the latency that there is where nobody says another.
func (m *modelFlags) add(f *flags, latency string) {
	f.set.StringVar(&m.latency, "llm-latency", latency, "`DELAY` of the first token: seconds, a duration, or a distribution such as lognormal:p50=120ms,p99=400ms; see docs/mock.md")
	f.set.StringVar(&m.itl, "itl", "0", "`DELAY` from a token to the next, likewise")
	f.set.StringVar(&m.tokens, "tokens", strconv.Itoa(mockllm.DefaultTokens), "`COUNT` of tokens of an answer, a number or a distribution")
	f.set.StringVar(&m.prefill, "prefill", "0", "`DELAY` of the first token by each token of the request, likewise")
	f.set.StringVar(&m.promptCache, "prompt-cache", "off", "`SCOPE` of a cache of how requests begin, which need no --prefill then: off, run or shared, such as run:minimum=256")
	f.set.StringArrayVar(&m.faults, "faults", nil, "`FAULT` such as 429:rate=5%, 500:on=1+5, reset, stall, truncate:after=3; may be repeated")
	f.set.StringArrayVar(&m.limits, "limits", nil, "`LIMIT` of requests and tokens a minute, such as requests=60,tokens=10000; may be repeated")
	f.set.StringVar(&m.script, "script", "", "YAML or JSON `FILE` with latencies by model, replies, faults and limits; flags win over it")
}

// read reads what the flags and the script say.
func (m *modelFlags) read(f *flags, read func(string) ([]byte, error)) (mockllm.Script, error) {
	var s mockllm.Script
	if m.script != "" {
		script, err := readScript("script", m.script, read)
		if err != nil {
			return s, err
		}
		s = *script
	}
	for _, part := range []struct{ flag, name, text string }{
		{"llm-latency", "ttft", duration(m.latency)}, {"itl", "itl", duration(m.itl)}, {"tokens", "tokens", m.tokens}, {"prefill", "prefill", duration(m.prefill)},
	} {
		if m.script != "" && !f.set.Changed(part.flag) {
			continue // the default is weaker than the script
		}
		if err := s.Set(part.name, part.text, read); err != nil {
			return s, usagef("--%s: %v", part.flag, err)
		}
	}
	for _, text := range m.faults {
		fault, err := mockllm.ParseFault(text)
		if err != nil {
			return s, usagef("--faults %s: %v", text, err)
		}
		s.Faults = append(s.Faults, fault)
	}
	for _, text := range m.limits {
		limit, err := mockllm.ParseLimit(text)
		if err != nil {
			return s, usagef("--limits %s: %v", text, err)
		}
		s.Limits = append(s.Limits, limit)
	}
	if m.script == "" || f.set.Changed("prompt-cache") {
		var err error
		if s.PromptCache, err = mockllm.ParsePromptCache(m.promptCache); err != nil {
			return s, usagef("--prompt-cache: %v", err)
		}
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

// scriptName is the name of a script with the beginning of its hash: what is in the file, and in those that it names,
// is what was measured with.
func scriptName(name string, s *mockllm.Script) string {
	return fmt.Sprintf("%s (sha256 %.12s)", name, s.Sum)
}

// readScript reads the script that a flag names.
func readScript(flag, name string, read func(string) ([]byte, error)) (*mockllm.Script, error) {
	script, err := mockllm.ReadScriptFile(name, read)
	if err != nil {
		return nil, usagef("--%s: %v", flag, err)
	}
	return script, nil
}
