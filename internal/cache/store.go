package cache

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Store is a backend with counts, and with one computation at a time for a key.
type Store struct {
	name    string
	backend Cache
	log     func(Event)
	counts  counts
	flights flights
	health  health
}

// Open makes a Store. An error is a *FieldError: a Redis that cannot be reached is none, it is told by
// Failure and everything is computed.
func Open(ctx context.Context, c Config) (*Store, error) {
	b, err := c.backend()
	if err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Store{name: b.Name, log: c.Log}
	if s.backend, err = b.open(c, &s.counts); err != nil {
		return nil, err
	}
	s.get(ctx, NewKey("greeting", 1)) // a server out of reach is told at once, and connecting costs no look-up
	return s, nil
}

// Event is a look-up.
type Event struct {
	Hit bool
	Key Key
}

// GetOrCompute returns the value of a key: the backend's, else what compute comes to, which is kept. Hit
// reports whether the caller was spared the computation. Callers who ask for a key at the same time share one,
// whose context ends when all of theirs have; Close waits for what it still does then. Errors are not kept; a
// panic of compute is a *PanicError in each caller. Where the backend fails, that is counted and the value is
// computed, see Failure.
func (s *Store) GetOrCompute(ctx context.Context, key Key, compute func(context.Context) ([]byte, error)) (value []byte, hit bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	defer func() { s.looked(key, hit) }()
	if value, ok := s.get(ctx, key); ok {
		return value, true, nil
	}
	if s.name == None {
		value, err = compute(ctx)
		return value, false, err
	}
	computed := false
	value, shared, err := s.flights.do(ctx, key.text, func(ctx context.Context) ([]byte, error) {
		if value, ok := s.get(ctx, key); ok { // stored since, by a computation that had just ended
			return value, nil
		}
		computed = true
		return s.compute(ctx, key, compute)
	})
	if shared {
		s.counts.coalesced.Add(1)
	}
	return bytes.Clone(value), err == nil && !computed, err
}

// compute computes a value and keeps it.
func (s *Store) compute(ctx context.Context, key Key, compute func(context.Context) ([]byte, error)) ([]byte, error) {
	value, err := compute(ctx)
	if err == nil {
		s.Set(ctx, key, value)
	}
	return value, err
}

// Get returns the value of a key, for callers who find out themselves whether it is still good. Others want
// GetOrCompute.
func (s *Store) Get(ctx context.Context, key Key) (value []byte, hit bool) {
	value, hit = s.get(ctx, key)
	s.looked(key, hit)
	return value, hit
}

// Set keeps a value. That it could not be kept is told by Failure.
func (s *Store) Set(ctx context.Context, key Key, value []byte) {
	if s.name == None || s.health.givenUp() {
		return
	}
	s.counts.sets.Add(1)
	s.failed(ctx, s.backend.Set(ctx, key.text, value))
}

// get asks the backend, unless it was given up.
func (s *Store) get(ctx context.Context, key Key) ([]byte, bool) {
	if s.health.givenUp() {
		return nil, false
	}
	value, ok, err := s.backend.Get(ctx, key.text)
	s.failed(ctx, err)
	return value, ok && err == nil
}

func (s *Store) looked(key Key, hit bool) {
	if hit {
		s.counts.hits.Add(1)
	} else {
		s.counts.misses.Add(1)
	}
	if s.log != nil {
		s.log(Event{Hit: hit, Key: key})
	}
}

// failed notes how an operation of the backend went. One that the caller broke off is nobody's failure.
func (s *Store) failed(ctx context.Context, err error) {
	if err != nil && ctx.Err() != nil {
		return
	}
	if err != nil {
		s.counts.errors.Add(1)
	}
	s.health.note(err)
}

// Failure says what is wrong with the backend, for the report: the first error, and how many there were. It
// is nil where there was none.
func (s *Store) Failure() error {
	first, givenUp := s.health.state()
	if first == nil {
		return nil
	}
	what := fmt.Sprintf("failed %d times", s.counts.errors.Load())
	if givenUp {
		what += " and was given up"
	}
	return fmt.Errorf("the cache %s %s, and values were computed instead; first: %w", s.name, what, first)
}

// Delete removes a key and reports whether it was there.
func (s *Store) Delete(ctx context.Context, key Key) (bool, error) {
	return s.backend.Delete(ctx, key.text)
}

// Entries lists what has not expired, by key, of those keys that begin with prefix.
func (s *Store) Entries(ctx context.Context, prefix string) ([]Entry, error) {
	return s.backend.Entries(ctx, prefix)
}

// Clear removes all keys that begin with prefix and returns how many there were. The counts stay.
func (s *Store) Clear(ctx context.Context, prefix string) (int, error) {
	return s.backend.Clear(ctx, prefix)
}

// Close waits for computations that nobody waits for, and closes the backend.
func (s *Store) Close() error {
	s.flights.running.Wait()
	return s.backend.Close()
}

// Stats are counts since a Store was opened, of its own use.
type Stats struct {
	Backend string `json:"backend"`
	// Hits are look-ups that were spared a computation; Coalesced of them, and of those that failed, waited
	// for another caller's. Hits, unlike Coalesced, do not depend on who asks at the same time.
	Hits      int64 `json:"hits"`
	Coalesced int64 `json:"coalesced"`
	Misses    int64 `json:"misses"`
	Sets      int64 `json:"sets"`
	// Evictions made room. Expirations are look-ups that found a value too old. Redis does both by itself and
	// tells of neither.
	Evictions   int64 `json:"evictions"`
	Expirations int64 `json:"expirations"`
	// Damaged are look-ups that found a value which was not what had been stored.
	Damaged int64 `json:"damaged"`
	// Errors are operations of the backend that failed.
	Errors int64 `json:"errors"`
}

// Stats returns the counts so far.
func (s *Store) Stats() Stats {
	c := &s.counts
	return Stats{
		Backend: s.name, Hits: c.hits.Load(), Coalesced: c.coalesced.Load(), Misses: c.misses.Load(), Sets: c.sets.Load(),
		Evictions: c.evictions.Load(), Expirations: c.expirations.Load(), Damaged: c.damaged.Load(), Errors: c.errors.Load(),
	}
}

type counts struct {
	hits, coalesced, misses, sets, evictions, expirations, damaged, errors atomic.Int64
}

// giveUpAfter is how many operations in a row may fail. A server that does not answer would otherwise cost
// every look-up its timeout.
const giveUpAfter = 3

// health is how the backend does.
type health struct {
	mu    sync.Mutex
	first error
	inRow int
}

func (h *health) note(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err == nil && h.inRow < giveUpAfter:
		h.inRow = 0
	case err != nil:
		h.inRow++
		if h.first == nil {
			h.first = err
		}
	}
}

func (h *health) givenUp() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.inRow >= giveUpAfter
}

func (h *health) state() (first error, givenUp bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.first, h.inRow >= giveUpAfter
}
