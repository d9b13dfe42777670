package mockllm

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/org/perfgate/internal/suggest"
)

// Limit is how many requests and tokens a minute each key may have of each model, as the vendors limit them: a
// bucket that fills as time goes by. It depends on when calls come, so that what it refuses is exact in virtual time
// alone. All runs of a key share it.
type Limit struct {
	// Model is the one that it limits, each for itself where it is empty.
	Model string
	// Requests and Tokens are those of a minute; 0 is no limit. Tokens are those of the request and of the answer.
	Requests, Tokens int
	// Burst is the time whose requests and tokens may come at once; 0 is a minute.
	Burst time.Duration
}

// LimitKeys are the names of a limit's parameters.
var LimitKeys = []string{"requests", "tokens", "burst", "model"}

// ParseLimit reads a limit such as requests=60,tokens=10000,model=gpt-mock.
func ParseLimit(text string) (l Limit, err error) {
	seen := map[string]bool{}
	for item := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(item), "=")
		if !ok || seen[key] {
			return l, fmt.Errorf("%q: want KEY=VALUE,... with each key once, as in requests=60,tokens=10000", item)
		}
		seen[key] = true
		switch key {
		case "requests":
			l.Requests, err = positive(value)
		case "tokens":
			l.Tokens, err = positive(value)
		case "burst":
			l.Burst, err = wait(value)
		case "model":
			l.Model = value
		default:
			return l, fmt.Errorf("no limit has a parameter %q%s; there are %s", key, suggest.Question(key, LimitKeys), strings.Join(LimitKeys, ", "))
		}
		if err != nil {
			return l, fmt.Errorf("%s: %w", key, err)
		}
	}
	return l, l.check()
}

func (l *Limit) check() error {
	switch {
	case l.Requests < 0 || l.Tokens < 0:
		return errors.New("want numbers a minute that are not negative")
	case l.Requests == 0 && l.Tokens == 0:
		return errors.New("want requests or tokens a minute, such as requests=60")
	case l.Burst < 0:
		return errors.New("burst: want a duration that is not negative")
	}
	return nil
}

// bucket is what is left of a number a minute.
type bucket struct {
	*rate.Limiter
	perMinute int
}

// newBucket is a full one, nil where nothing is limited. It holds one at least.
func newBucket(perMinute int, burst time.Duration) *bucket {
	if perMinute == 0 {
		return nil
	}
	if burst == 0 {
		burst = time.Minute
	}
	holds := max(1, int(float64(perMinute)*burst.Minutes()))
	return &bucket{rate.NewLimiter(rate.Limit(float64(perMinute)/60), holds), perMinute}
}

// fills is how long the bucket takes to hold so much. It is not ok where it never does.
func (b *bucket) fills(at time.Time, to float64) (left time.Duration, ok bool) {
	missing := max(0, to-b.TokensAt(at))
	return time.Duration(math.Ceil(missing / float64(b.Limit()) * 1e9)), to <= float64(b.Burst())
}

// remaining is what is left at a time.
func (b *bucket) remaining(at time.Time) int { return max(0, int(b.TokensAt(at))) }

// buckets are those of a limit, a key and a model. Either may be nil.
type buckets struct{ requests, tokens *bucket }

// limited is who is limited by what.
type limited struct {
	limit      int // its number
	key, model string
}

// admit takes a call into the buckets of all limits that it falls under, or says why it is refused. The caller
// holds the server's lock, and the call knows what it will be answered.
func (s *Server) admit(c *call) *apiError {
	if c.route.instant {
		return nil
	}
	var all []*buckets
	for i := range s.config.Limits {
		l := &s.config.Limits[i]
		if l.Model != "" && l.Model != c.request.Model {
			continue
		}
		of := limited{i, c.apiKey, c.request.Model}
		if s.buckets[of] == nil {
			s.buckets[of] = &buckets{newBucket(l.Requests, l.Burst), newBucket(l.Tokens, l.Burst)}
		}
		all = append(all, s.buckets[of])
	}
	cost := c.inputTokens() + c.answer.tokens*len(c.answer.pieces)
	refused := refusal(all, c.arrived, cost)
	for _, b := range all {
		if refused == nil && b.requests != nil {
			b.requests.AllowN(c.arrived, 1)
		}
		if refused == nil && b.tokens != nil {
			b.tokens.AllowN(c.arrived, cost)
		}
		c.quota = c.quota.or(b.quota(c.arrived))
	}
	return refused
}

// limit refuses a call that the limits leave no room for.
func (s *Server) limit(c *call) *apiError {
	if len(s.config.Limits) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	refused := s.admit(c)
	if c.limited = refused != nil; c.limited {
		for _, l := range c.ledgers {
			l.of(c).Limited++
		}
	}
	return refused
}

// keyOf is the key that a client sent.
func keyOf(r *http.Request) string {
	if key := r.Header.Get("X-Api-Key"); key != "" {
		return key
	}
	return r.Header.Get("Authorization")
}

// refusal is the answer to a call for which some bucket holds too little, nil where all hold enough.
func refusal(all []*buckets, at time.Time, cost int) *apiError {
	longest, never, what := time.Duration(0), false, ""
	for _, b := range all {
		for _, each := range []struct {
			*bucket
			cost int
			what string
		}{{b.requests, 1, "requests"}, {b.tokens, cost, "tokens"}} {
			if each.bucket == nil {
				continue
			}
			left, ok := each.fills(at, float64(each.cost))
			if never = never || !ok; left > longest || !ok {
				longest, what = left, fmt.Sprintf("%s per min: Limit %d, Requested %d", each.what, each.perMinute, each.cost)
			}
		}
	}
	e := &apiError{status: http.StatusTooManyRequests}
	switch {
	case never:
		e.final, e.message = true, "Request too large: "+what
	case longest > 0:
		e.retryAfter, e.message = roundUp(longest), "Rate limit reached on "+what
	default:
		return nil
	}
	return e
}

// roundUp is to the milliseconds that a header can say: who waits so long is not refused again.
func roundUp(d time.Duration) time.Duration {
	return (d + time.Millisecond - 1).Truncate(time.Millisecond)
}

// quota is what the headers of an answer say of a request's limits.
type quota struct{ requests, tokens allowance }

// allowance is the state of a limit. The zero value is no limit.
type allowance struct {
	limit, remaining int
	reset            time.Duration // until all of it is there again
}

func (b *buckets) quota(at time.Time) quota {
	return quota{b.requests.allowance(at), b.tokens.allowance(at)}
}

func (b *bucket) allowance(at time.Time) allowance {
	if b == nil {
		return allowance{}
	}
	left, _ := b.fills(at, float64(b.Burst()))
	return allowance{b.perMinute, b.remaining(at), left}
}

// or is the quota with what it lacks from another: headers have room for one limit of each kind.
func (q quota) or(other quota) quota {
	if q.requests == (allowance{}) {
		q.requests = other.requests
	}
	if q.tokens == (allowance{}) {
		q.tokens = other.tokens
	}
	return q
}

// openAI sets the headers of OpenAI that the limits change.
func (q quota) openAI(h http.Header) {
	if q == (quota{}) {
		return
	}
	for name, a := range map[string]allowance{"Requests": q.requests, "Tokens": q.tokens} {
		if a != (allowance{}) {
			h["X-Ratelimit-Limit-"+name] = []string{strconv.Itoa(a.limit)}
			h["X-Ratelimit-Remaining-"+name] = []string{strconv.Itoa(a.remaining)}
			h["X-Ratelimit-Reset-"+name] = []string{roundUp(a.reset).String()}
		}
	}
}

// anthropic sets the headers of Anthropic that the limits change.
func (q quota) anthropic(h http.Header, at time.Time) {
	if q == (quota{}) {
		return
	}
	for name, a := range map[string]allowance{"Requests": q.requests, "Tokens": q.tokens} {
		if a != (allowance{}) {
			h["Anthropic-Ratelimit-"+name+"-Limit"] = []string{strconv.Itoa(a.limit)}
			h["Anthropic-Ratelimit-"+name+"-Remaining"] = []string{strconv.Itoa(a.remaining)}
			h["Anthropic-Ratelimit-"+name+"-Reset"] = []string{at.Add(a.reset).UTC().Format(time.RFC3339)}
		}
	}
}
