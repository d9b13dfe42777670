package cache

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// memory keeps values in the process; the least recently used one makes room. Given the same calls it keeps
// the same values, which exact counts of hits need: caches that sample their accesses do not. The
// library's own variant with expiry is no use here: its goroutine never ends, and its clock is the
// machine's.
type memory struct {
	maxBytes int64
	ttl      time.Duration
	now      func() time.Time
	counts   *counts

	mu    sync.Mutex
	lru   *simplelru.LRU[string, stored]
	bytes int64
}

type stored struct {
	value []byte
	at    time.Time
}

func openMemory(c Config, n *counts) (Cache, error) {
	if c.MaxEntries < 1 {
		return nil, fieldErrorf("cache-max-entries", "%d leaves no room: want 1 or more, or the backend %q", c.MaxEntries, None)
	}
	m := &memory{maxBytes: c.MaxBytes, ttl: c.TTL, now: c.Now, counts: n}
	var err error
	m.lru, err = simplelru.NewLRU(c.MaxEntries, func(_ string, s stored) { m.bytes -= int64(len(s.value)) })
	return m, err
}

func (m *memory) Get(_ context.Context, key string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.lru.Get(key)
	if !ok {
		return nil, false, nil
	}
	if m.expired(s) {
		m.lru.Remove(key)
		m.counts.expirations.Add(1)
		return nil, false, nil
	}
	return bytes.Clone(s.value), true, nil
}

// Set keeps the value as the most recently used one. One that is larger than all there is room for is evicted
// at once, alone.
func (m *memory) Set(_ context.Context, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lru.Remove(key) // Add would replace it without telling its size
	if m.maxBytes > 0 && int64(len(value)) > m.maxBytes {
		m.counts.evictions.Add(1)
		return nil
	}
	m.bytes += int64(len(value))
	if m.lru.Add(key, stored{bytes.Clone(value), m.now()}) {
		m.counts.evictions.Add(1)
	}
	for m.maxBytes > 0 && m.bytes > m.maxBytes {
		m.lru.RemoveOldest()
		m.counts.evictions.Add(1)
	}
	return nil
}

func (m *memory) Delete(_ context.Context, key string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.lru.Peek(key)
	m.lru.Remove(key)
	return ok && !m.expired(s), nil
}

func (m *memory) Entries(_ context.Context, prefix string) ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Entry
	for _, key := range m.lru.Keys() {
		if s, _ := m.lru.Peek(key); strings.HasPrefix(key, prefix) && !m.expired(s) {
			all = append(all, Entry{Key: key, Bytes: int64(len(s.value)), Stored: s.at, Left: left(m.ttl, m.now().Sub(s.at))})
		}
	}
	slices.SortFunc(all, byKey)
	return all, nil
}

func (m *memory) Clear(_ context.Context, prefix string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, key := range m.lru.Keys() {
		if s, _ := m.lru.Peek(key); strings.HasPrefix(key, prefix) {
			if !m.expired(s) {
				n++
			}
			m.lru.Remove(key)
		}
	}
	return n, nil
}

func (m *memory) Close() error { return nil }

func (m *memory) expired(s stored) bool { return m.ttl > 0 && m.now().Sub(s.at) >= m.ttl }

// left is how long a value of that age has to live, 0 for ever.
func left(ttl, age time.Duration) time.Duration {
	if ttl == 0 {
		return 0
	}
	return ttl - age
}

func byKey(a, b Entry) int { return cmp.Compare(a.Key, b.Key) }
