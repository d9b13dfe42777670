package probe

import (
	"maps"
	"sync"
	"sync/atomic"
)

// table finds values by name without a lock, which what is measured would wait for. It is copied when a name comes
// in, which happens as often as there are names. A sync.Map would make an allocation of each look-up.
type table[T any] struct {
	mu sync.Mutex
	m  atomic.Pointer[map[string]T]
}

func (t *table[T]) all() map[string]T {
	if m := t.m.Load(); m != nil {
		return *m
	}
	return nil
}

// get returns the value of that name. Where there is none, missing makes it, and says under which name.
func (t *table[T]) get(name string, missing func(known map[string]T) (string, T)) T {
	if v, ok := t.all()[name]; ok {
		return v
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.all()
	if v, ok := known[name]; ok {
		return v
	}
	name, v := missing(known)
	if _, ok := known[name]; ok {
		return v
	}
	next := maps.Clone(known)
	if next == nil {
		next = map[string]T{}
	}
	next[name] = v
	t.m.Store(&next)
	return v
}
