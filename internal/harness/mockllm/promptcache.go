package mockllm

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/org/perfgate/internal/suggest"
)

// Whose requests a prompt cache is for.
const (
	cacheRun    = "run"    // each run has its own: what it holds follows from the run's calls alone
	cacheShared = "shared" // all runs have one, as those of an account have: whose call comes first decides
)

// The vendors' rules: shorter prompts are not cached, and what OpenAI remembers is counted in blocks.
const (
	usualMinimum = 1024 // tokens
	cacheBlock   = 128
)

// mostPrefixes bounds what a prompt cache remembers; the least recently used go first.
const mostPrefixes = 1 << 16

// PromptCache is the model's memory of how requests begin: tokens that it holds need no prefill, and are told
// apart in the usage. The zero value is none.
type PromptCache struct {
	// Scope is run or shared.
	Scope string
	// Minimum is the number of tokens of the shortest prefix that is remembered; 0 is 1024, as the vendors have it.
	Minimum int
}

// ParsePromptCache reads run, shared, or either with another minimum: run:minimum=256. Empty and off are none.
func ParsePromptCache(text string) (c PromptCache, err error) {
	scope, list, more := strings.Cut(strings.TrimSpace(text), ":")
	if !more && (scope == "" || scope == "off") {
		return c, nil
	}
	if c.Scope = scope; more {
		minimum, ok := strings.CutPrefix(list, "minimum=")
		if c.Minimum, err = positive(minimum); err != nil || !ok {
			return c, fmt.Errorf("%q: want SCOPE:minimum=TOKENS, such as run:minimum=256", text)
		}
	}
	return c, c.check()
}

func (c PromptCache) check() error {
	scopes := []string{cacheRun, cacheShared, "off"}
	if c != (PromptCache{}) && !slices.Contains(scopes[:2], c.Scope) {
		return fmt.Errorf("%q is no scope of a prompt cache%s; want %s", c.Scope, suggest.Question(c.Scope, scopes), strings.Join(scopes, ", "))
	}
	return nil
}

// String is the text that sets it.
func (c PromptCache) String() string {
	switch {
	case c.Scope == "":
		return "off"
	case c.Minimum == 0:
		return c.Scope
	}
	return fmt.Sprintf("%s:minimum=%d", c.Scope, c.Minimum)
}

// prefix is how a request begins.
type prefix struct {
	tokens int
	hash   uint64 // of the model and the text
	// kept says that it is remembered; of the others it is only looked whether they are.
	kept bool
}

// prefixes are remembered by their hashes.
type prefixes = simplelru.LRU[uint64, struct{}]

func newPrefixes() *prefixes {
	p, err := simplelru.NewLRU[uint64, struct{}](mostPrefixes, nil)
	if err != nil {
		panic("mockllm: " + err.Error()) // of a size that is not positive
	}
	return p
}

// boundary is the end of a part of the request in its text, such as of a message.
type boundary struct {
	bytes  int
	marked bool // by cache_control
}

// blocks are all prefixes of whole blocks, as OpenAI caches of itself.
func (c *call) blocks(minimum int) (all []prefix) {
	h := fnv.New64a()
	h.Write([]byte(c.request.Model + "\x00"))
	const size = cacheBlock * bytesPerToken
	for end := size; end <= len(c.prompt); end += size {
		h.Write([]byte(c.prompt[end-size : end]))
		if n := end / bytesPerToken; n >= minimum {
			all = append(all, prefix{n, h.Sum64(), true})
		}
	}
	return all
}

// breakpoints are the prefixes that end with a part of the request, up to the last part that is marked, as
// Anthropic caches on demand: what is marked is kept, and what was marked in a request before is found again.
func (c *call) breakpoints(minimum int) (all []prefix) {
	h := fnv.New64a()
	h.Write([]byte(c.request.Model + "\x00"))
	from, last := 0, 0
	for _, b := range c.boundaries {
		h.Write([]byte(c.prompt[from:b.bytes]))
		from = b.bytes
		if n := tokens(b.bytes); n >= minimum {
			all = append(all, prefix{n, h.Sum64(), b.marked})
		}
		if b.marked {
			last = len(all)
		}
	}
	return all[:last]
}

// lookUp says how many tokens of a request the cache holds, and how many it will hold when it is answered. The
// caller holds the server's lock.
func (s *Server) lookUp(c *call) {
	of, minimum := s.config.PromptCache, s.config.PromptCache.Minimum
	if of.Scope == "" || c.route.prefixes == nil || c.prompt == "" {
		return
	}
	if minimum == 0 {
		minimum = usualMinimum
	}
	memory := &c.state.prompts
	if of.Scope == cacheShared {
		memory = &s.prompts
	}
	if *memory == nil {
		*memory = newPrefixes()
	}
	c.memory = *memory
	c.prefixes = c.route.prefixes(c, minimum)
	for _, p := range slices.Backward(c.prefixes) {
		if c.memory.Contains(p.hash) {
			c.cached = p.tokens
			break
		}
	}
	if n := len(c.prefixes); n > 0 && c.route.vendor == anthropic { // OpenAI does not say what it writes
		c.written = c.prefixes[n-1].tokens - c.cached
	}
}

// remember keeps what a request that was answered began with.
func (c *call) remember() {
	for _, p := range c.prefixes {
		if p.kept || c.memory.Contains(p.hash) {
			c.memory.Add(p.hash, struct{}{})
		}
	}
}
