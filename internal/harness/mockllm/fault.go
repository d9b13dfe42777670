package mockllm

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/org/perfgate/internal/suggest"
)

// The kinds of faults beside HTTP statuses.
const (
	reset     = "reset"     // the connection is reset
	stall     = "stall"     // nothing more is sent while the connection stays open
	truncate  = "truncate"  // the answer ends before its end
	malformed = "malformed" // a frame of a stream, or the body, is half of its JSON
	mistyped  = "mistyped"  // a page of HTML in place of the answer, as proxies send
	empty     = "empty"     // an answer without a body
	unended   = "unended"   // a stream without its last events, as if it were whole
	duplicate = "duplicate" // a frame of a stream comes twice
	blank     = "blank"     // a comment, which says nothing, comes between two frames
	delayed   = "delay"     // the answer is whole, and later than planned
	slow      = "slow"      // the answer is whole, and its body comes slowly
)

// faultKind is what is special about a kind.
type faultKind struct {
	name  string
	after bool // counts tokens
	// stream says that there is nothing of it but in streams: other calls are not selected.
	stream bool
	// harmless says that the answer is whole: it is no error, unless the client makes it one.
	harmless bool
}

// faultKinds is the one list of kinds beside HTTP statuses.
var faultKinds = []faultKind{
	{name: reset, after: true}, {name: stall, after: true}, {name: truncate, after: true},
	{name: malformed, after: true}, {name: mistyped}, {name: empty}, {name: unended, stream: true},
	{name: duplicate, after: true, stream: true, harmless: true}, {name: blank, after: true, stream: true, harmless: true},
	{name: delayed, harmless: true}, {name: slow, harmless: true},
}

// FaultKinds are the names of the kinds beside HTTP statuses.
func FaultKinds() (names []string) {
	for _, k := range faultKinds {
		names = append(names, k.name)
	}
	return names
}

// cancelled is how an attempt ends whose client goes away. It is no fault that can be asked for.
const cancelled = "cancelled"

// Select says which calls are meant: those for which all that is set holds. The zero value means all.
type Select struct {
	Route    string // as in [Routes]
	Model    string
	Contains string // in the text of the request
	// On are numbers of calls, from 1, counted among those of the run for which the rest holds.
	On []int
}

func (s *Select) fits(c *call) bool {
	return (s.Route == "" || s.Route == c.route.name) && (s.Model == "" || s.Model == c.request.Model) &&
		strings.Contains(c.prompt, s.Contains)
}

func (s *Select) fitsNumber(n int) bool { return len(s.On) == 0 || slices.Contains(s.On, n) }

// Fault is something that goes wrong with some calls. What is chosen are calls, not attempts: a call fails
// Times times and succeeds then, so that what a client's retries must mend is exact.
type Fault struct {
	// Kind is an HTTP status from 400 to 599, or one of [FaultKinds].
	Kind string
	Select
	// Rate is the share of the selected calls, in (0, 1]; each is drawn for itself. Zero is all.
	Rate float64
	// Times is the number of attempts at a call that fail; zero is 1.
	Times int
	// After is the number of tokens that a stream sends before. A truncated stream sends half of them
	// when it is zero, of a malformed one it is the first frame then, and the others fail before the first byte. A
	// stream of fewer tokens is whole.
	After int
	// RetryAfter is the time that a client is asked to wait before it tries again, at least 1 ms, which zero is.
	RetryAfter time.Duration
	// For is how long a stall lasts, where zero is as long as the client waits, and how late a delay makes the answer.
	For time.Duration
	// Speed is the number of bytes a second of a slow body.
	Speed int

	status int
	faultKind
}

// fits says whether a call is one of those that are meant, but for its number.
func (f *Fault) fits(c *call) bool { return f.Select.fits(c) && (c.streams() || !f.stream) }

// check completes a fault, or says what is wrong with it.
func (f *Fault) check() error {
	if f.Times == 0 {
		f.Times = 1
	}
	if f.Rate == 0 {
		f.Rate = 1
	}
	f.RetryAfter = max(f.RetryAfter, time.Millisecond) // zero is no answer for some clients
	if i := slices.Index(FaultKinds(), f.Kind); i >= 0 {
		f.faultKind = faultKinds[i]
	} else {
		n, err := strconv.Atoi(f.Kind)
		if err != nil || n < 400 || n > 599 {
			return fmt.Errorf("%q is no fault%s; want a status from 400 to 599, or one of %s", f.Kind, suggest.Question(f.Kind, FaultKinds()), strings.Join(FaultKinds(), ", "))
		}
		f.status, f.after = n, true
	}
	switch {
	case !(f.Rate > 0 && f.Rate <= 1):
		return errors.New("rate: want more than 0% and at most 100%")
	case f.Times < 0:
		return errors.New("times: want at least 1")
	case f.After < 0:
		return errors.New("after: want a number of tokens")
	case f.For < 0:
		return errors.New("for: want a duration that is not negative")
	case f.After > 0 && !f.after:
		return fmt.Errorf("after: %s is not after a number of tokens", f.Kind)
	case f.For > 0 && f.Kind != stall && f.Kind != delayed:
		return errors.New("for: only a stall and a delay last")
	case f.For == 0 && f.Kind == delayed:
		return errors.New("for: say how late, as in delay:for=2s")
	case f.Speed < 0, f.Speed == 0 && f.Kind == slow:
		return errors.New("speed: say how many bytes a second, as in slow:speed=1000")
	case f.Speed > 0 && f.Kind != slow:
		return errors.New("speed: only what is slow has one")
	}
	return f.Select.check()
}

func (s *Select) check() error {
	if s.Route != "" && !slices.Contains(Routes(), s.Route) {
		return fmt.Errorf("route: %q is none%s; there are %s", s.Route, suggest.Question(s.Route, Routes()), strings.Join(Routes(), ", "))
	}
	for _, n := range s.On {
		if n < 1 {
			return errors.New("on: calls are numbered from 1")
		}
	}
	return nil
}

// faultFields are the parameters of a fault, in text and in scripts.
var faultFields = []struct {
	name string
	set  func(f *Fault, text string) error
}{
	{"rate", func(f *Fault, s string) (err error) { f.Rate, err = share(s); return err }},
	{"on", func(f *Fault, s string) (err error) { f.On, err = numbers(s); return err }},
	{"times", func(f *Fault, s string) (err error) { f.Times, err = positive(s); return err }},
	{"after", func(f *Fault, s string) (err error) { f.After, err = positive(s); return err }},
	{"retry-after", func(f *Fault, s string) (err error) { f.RetryAfter, err = wait(s); return err }},
	{"for", func(f *Fault, s string) (err error) { f.For, err = wait(s); return err }},
	{"speed", func(f *Fault, s string) (err error) { f.Speed, err = positive(s); return err }},
	{"route", func(f *Fault, s string) error { f.Route = s; return nil }},
	{"model", func(f *Fault, s string) error { f.Model = s; return nil }},
	{"contains", func(f *Fault, s string) error { f.Contains = s; return nil }},
}

// FaultKeys are the names of a fault's parameters.
func FaultKeys() []string {
	var names []string
	for _, field := range faultFields {
		names = append(names, field.name)
	}
	return names
}

// ParseFault reads a fault such as 429:rate=5% or reset:on=1+5+9,route=chat,after=3.
func ParseFault(text string) (Fault, error) {
	kind, list, some := strings.Cut(strings.TrimSpace(text), ":")
	f := Fault{Kind: kind}
	seen := map[string]bool{}
	for item := range strings.SplitSeq(list, ",") {
		if !some {
			break
		}
		key, value, ok := strings.Cut(strings.TrimSpace(item), "=")
		if !ok || seen[key] {
			return f, fmt.Errorf("%q: want KIND:KEY=VALUE,... with each key once, as in 429:on=1+5", item)
		}
		seen[key] = true
		if err := f.set(key, value); err != nil {
			return f, err
		}
	}
	return f, f.check()
}

func (f *Fault) set(key, value string) error {
	for _, field := range faultFields {
		if field.name != key {
			continue
		}
		if err := field.set(f, value); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	}
	return fmt.Errorf("no fault has a parameter %q%s; there are %s", key, suggest.Question(key, FaultKeys()), strings.Join(FaultKeys(), ", "))
}

// share reads 5% or 0.05.
func share(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	if err != nil || math.IsNaN(v) || v <= 0 || v > 1 {
		return 0, fmt.Errorf("%q: want more than 0%% and at most 100%%, as in 5%% or 0.05", text)
	}
	return v, nil
}

// numbers reads 1+5+9.
func numbers(text string) (all []int, err error) {
	for item := range strings.SplitSeq(text, "+") {
		n, err := positive(item)
		if err != nil {
			return nil, fmt.Errorf("%q: want numbers of calls from 1, as in 1+5+9", text)
		}
		all = append(all, n)
	}
	return all, nil
}

func positive(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxCount {
		return 0, fmt.Errorf("%q: want a whole number from 1", text)
	}
	return n, nil
}

func wait(text string) (time.Duration, error) {
	v, err := delayValue(text)
	return time.Duration(v), err
}
