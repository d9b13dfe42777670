// Package mockllm is an LLM upstream that needs no model: an [http.Handler] that answers the requests of
// OpenAI's and Anthropic's clients with invented words, after delays that follow from a seed.
//
// It is opinionated. Delays follow from what is asked and not from when, so that the order of arrival
// changes nothing and two builds of a program wait equally long for the same call. Delays count from the
// request's arrival: what is late once is not late ever after. Whole responses are reproducible to the
// byte, errors included. Tokens are mock tokens: four bytes each.
//
// It never looks at credentials unless it is told to, holds no conversation, and knows nothing of who
// offers the load.
package mockllm

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/org/perfgate/internal/harness/pace"
)

// Config says what the upstream does. The zero value answers at once with [DefaultTokens] tokens.
type Config struct {
	// Seed decides all that is random.
	Seed uint64
	Script
	// Key is the only API key that is accepted; any is when it is empty.
	Key string
	// Journal is told of every attempt, where it is set. Who made it closes it, after the last.
	Journal *Journal
	// Pacer waits; nil means one of the server's own, for real time. In a bubble of testing/synctest it
	// must be [pace.Portable].
	Pacer *pace.Pacer
}

// DefaultTokens is the length of an answer that nothing else decides.
const DefaultTokens = 32

// Server is the upstream. It serves any number of runs at once: requests below /r/NAME/ belong to the run
// of that name, all others to the run without a name. Runs do not influence each other.
type Server struct {
	config Config
	pacer  *pace.Pacer
	own    bool // the pacer

	mu      sync.Mutex
	total   *ledger
	runs    map[string]*run
	prompts *prefixes // of all runs
	buckets map[limited]*buckets
}

// New makes an upstream. The errors say what is wrong with the faults, replies, limits and the prompt cache of
// the configuration, or that the system refuses a timer.
func New(c Config) (*Server, error) {
	c.Faults = slices.Clone(c.Faults)
	for i := range c.Faults {
		if err := c.Faults[i].check(); err != nil {
			return nil, fmt.Errorf("fault %d: %w", i+1, err)
		}
	}
	for i := range c.Replies {
		if err := c.Replies[i].check(); err != nil {
			return nil, fmt.Errorf("reply %d: %w", i+1, err)
		}
	}
	for i := range c.Limits {
		if err := c.Limits[i].check(); err != nil {
			return nil, fmt.Errorf("limit %d: %w", i+1, err)
		}
	}
	if err := c.PromptCache.check(); err != nil {
		return nil, fmt.Errorf("prompt cache: %w", err)
	}
	c.Model = c.Model.or(Model{TTFT: Fixed(0), ITL: Fixed(0), Tokens: Count(DefaultTokens)})
	s := &Server{config: c, pacer: c.Pacer}
	if s.pacer == nil {
		var err error
		if s.pacer, err = pace.New(); err != nil {
			return nil, err
		}
		s.own = true
	}
	s.Reset()
	return s, nil
}

// Close ends all waiting: calls in flight are cut off. A pacer of the configuration stays open.
func (s *Server) Close() error {
	if !s.own {
		return nil
	}
	return s.pacer.Close()
}

// model is how fast the named model is.
func (s *Server) model(name string) Model { return s.config.Models[name].or(s.config.Model) }

// models are the names that the listing shows.
func (s *Server) models() []string {
	if len(s.config.Models) == 0 {
		return []string{"claude-mock", "gpt-mock", "text-embedding-mock"}
	}
	return slices.Sorted(maps.Keys(s.config.Models))
}

// Environ are the variables, as in [os.Environ], that lead clients to the upstream at a base URL such as
// http://127.0.0.1:8080. A run's name keeps its counters apart; it may be empty. The clients of Anthropic
// add /v1 themselves.
func Environ(baseURL, run, key string) []string {
	if run != "" {
		baseURL += "/r/" + run
	}
	if key == "" {
		key = "perfgate" // clients refuse to start without
	}
	return []string{
		"OPENAI_BASE_URL=" + baseURL + "/v1",
		"OPENAI_API_KEY=" + key,
		"ANTHROPIC_BASE_URL=" + baseURL,
		"ANTHROPIC_API_KEY=" + key,
		"PERFGATE_MOCK_URL=" + baseURL,
	}
}

// Planned is what an attempt will be answered with, for those who want to see before they run.
type Planned struct {
	TTFT   time.Duration `json:"ttft_ns"`
	Total  time.Duration `json:"total_ns"`
	Tokens int           `json:"tokens"`
	Fault  string        `json:"fault,omitempty"`
}

// DryRun plans n calls of different content to a model, none of which is made. The number in the text
// tells the requests apart, as different prompts would.
func (s *Server) DryRun(model string, n int) []Planned {
	route := routes["/chat/completions"]
	state := newRun(len(s.config.Faults), len(s.config.Replies))
	var all []Planned
	for i := range n {
		c := &call{server: s, route: route, request: &request{Model: model}, prompt: fmt.Sprint("dry run ", i+1), attempt: 0}
		c.fingerprint = uint64(newDraws(0, c.prompt))
		c.logical = state.first(c)
		c.prepare()
		p := Planned{TTFT: c.due[0], Total: c.total(), Tokens: c.answer.tokens}
		if c.fault != nil {
			p.Fault = c.fault.Kind
		}
		all = append(all, p)
	}
	return all
}

var _ http.Handler = (*Server)(nil)
