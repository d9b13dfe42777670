package mockllm

import (
	"strconv"
	"time"
)

// key is what makes calls of a run the same question.
type key struct {
	route, model string
	fingerprint  uint64
}

// logical is a call as the program means it: one, however many attempts it takes. What goes wrong with
// it and what it is answered are decided when it is first seen.
type logical struct {
	occurrence int // of the same question, from 0
	depth      int // 1 more than that of the calls of its run that had ended when it came
	faults     []*Fault
	reply      *Reply
}

// call is one attempt at a logical call, from its arrival to its answer.
type call struct {
	server      *Server
	route       *route
	run         string
	arrived     time.Time
	request     *request
	prompt      string // all text of the request
	boundaries  []boundary
	fingerprint uint64
	apiKey      string // where limits tell keys apart
	limited     bool   // refused by them

	state   *run
	ledgers [2]*ledger // of all runs, and of this one: those of its arrival, even if they are reset

	logical *logical
	attempt int // from 0
	content draws
	timing  draws
	fault   *Fault // of this attempt
	answer  answer
	due     []time.Duration // of each token, since arrival; at least one
	dribble Dribble         // of the body of an answer in one piece
	quota   quota
	ended   bool

	// What became of it: the status, 0 for none, the failure, empty for none, the tokens that were sent, and when
	// the first byte and the last were.
	sentStatus  int
	outcome     string
	sentTokens  int
	first, left time.Time

	memory          *prefixes // the prompt cache, nil where there is none
	prefixes        []prefix
	cached, written int // tokens of the request that it holds, and that it will hold

	received, sentBytes int      // of the bodies
	header              []string // values of the answer's
}

func (c *call) key() key { return key{c.route.name, c.request.Model, c.fingerprint} }

// inputTokens estimates the tokens of the request: four bytes each.
func (c *call) inputTokens() int { return tokens(len(c.prompt)) }

// prepare decides all that follows from the seed. What is said depends on the question alone, as of a
// model without temperature: a retry that came or did not come, or two equal questions that changed
// places, must not change what the program does next. How long it takes is drawn for every attempt.
func (c *call) prepare() {
	c.content = newDraws(c.server.config.Seed, c.route.name, c.request.Model, strconv.FormatUint(c.fingerprint, 16))
	c.timing = c.content.with(uint64(c.logical.occurrence), uint64(c.attempt))
	for _, f := range c.logical.faults {
		if c.attempt < f.Times {
			c.fault = f
			break
		}
	}
	model := c.server.model(c.request.Model)
	c.answer = c.reply(model)
	c.due = make([]time.Duration, max(1, c.answer.tokens))
	if c.route.instant {
		return
	}
	c.dribble = model.Dribble
	c.due[0] = c.firstToken(model)
	gaps := c.timing.stream("itl")
	for i := 1; i < len(c.due); i++ {
		c.due[i] = c.due[i-1] + model.ITL.delay(gaps, i)
	}
}

// firstToken is when the first token is due: later by what must be read, if it is not known, and by a fault that
// makes the answer late.
func (c *call) firstToken(model Model) time.Duration {
	d := model.TTFT.delay(c.timing.stream("ttft"), 0)
	each := model.Prefill.at(c.timing.stream("prefill"), 0)
	d += time.Duration(min(each*float64(c.inputTokens()-c.cached), float64(maxDelay)))
	if c.fault != nil && c.fault.Kind == delayed {
		d += c.fault.For
	}
	return d
}

// total is when the answer is complete, since arrival. But for a body that dribbles it is the same for streams.
func (c *call) total() time.Duration {
	if c.streams() {
		return c.due[len(c.due)-1]
	}
	return c.due[len(c.due)-1] + c.dribble.Total
}

// streams reports whether the answer is a stream.
func (c *call) streams() bool { return c.request.Stream && c.route.events != nil }

// run is what is remembered of a run to tell calls from each other.
type run struct {
	*ledger
	last   map[key]*logical   // the last call that asked a question
	failed map[key][]*failure // attempts that a retry may follow
	// matched count, for every fault and every reply, the calls that it fits but for their number.
	matchedFaults, matchedReplies []int
	prompts                       *prefixes
}

// failure is an attempt that was not answered.
type failure struct {
	logical *logical
	attempt int
}

func newRun(faults, replies int) *run {
	return &run{
		ledger: newLedger(), last: map[key]*logical{}, failed: map[key][]*failure{},
		matchedFaults: make([]int, faults), matchedReplies: make([]int, replies),
	}
}

// identify says which logical call an attempt belongs to, and whether that is a new one. The official
// clients count their retries in a header; where it is missing, the repetition of a question that was just
// not answered is a retry.
func (r *run) identify(c *call, header string) (isNew bool) {
	k := c.key()
	n, err := strconv.Atoi(header)
	counted := err == nil && n >= 0
	for i, f := range r.failed[k] {
		if !counted || f.attempt == n-1 {
			c.logical, c.attempt = f.logical, f.attempt+1
			r.failed[k] = append(r.failed[k][:i:i], r.failed[k][i+1:]...)
			return false
		}
	}
	c.attempt = max(0, n)
	if counted && n > 0 && r.last[k] != nil { // it gave up waiting, which we have not seen yet
		c.logical = r.last[k]
		return false
	}
	c.logical = r.first(c)
	return true
}

// first makes the logical call of a question that is asked for the first time, or once more.
func (r *run) first(c *call) *logical {
	k := c.key()
	l := &logical{depth: r.depth + 1}
	if before := r.last[k]; before != nil {
		l.occurrence = before.occurrence + 1
	}
	r.last[k] = l
	config := &c.server.config
	for i := range config.Faults {
		f := &config.Faults[i]
		if !f.fits(c) {
			continue
		}
		r.matchedFaults[i]++
		d := newDraws(config.Seed, c.route.name, c.request.Model, strconv.FormatUint(c.fingerprint, 16)).with(uint64(l.occurrence))
		if f.fitsNumber(r.matchedFaults[i]) && (f.Rate >= 1 || d.stream("fault").uniform(i) < f.Rate) {
			l.faults = append(l.faults, f)
		}
	}
	for i := range config.Replies {
		reply := &config.Replies[i]
		if !reply.Select.fits(c) {
			continue
		}
		r.matchedReplies[i]++
		if l.reply == nil && reply.fitsNumber(r.matchedReplies[i]) {
			l.reply = reply
		}
	}
	return l
}

// fail remembers that a retry may follow.
func (r *run) fail(c *call) {
	r.failed[c.key()] = append(r.failed[c.key()], &failure{c.logical, c.attempt})
}
