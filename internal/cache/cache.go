// Package cache keeps bytes by key: nowhere, in memory, on disk or in Redis. It never holds the truth: what
// is damaged, expired or out of reach is a miss, and the caller computes it again. It never holds a
// measurement either: a time that was not taken now is no time. Callers put everything that a value depends on
// into its Key; of a file that is its content, for its time and size do not tell of every edit.
package cache

import (
	"context"
	"fmt"
	"time"

	"github.com/org/perfgate/internal/suggest"
)

// Cache is what a backend does. Keys are Key.String, prefixes the beginnings of such. A backend is safe for
// concurrent use, and no value that it takes or gives shares memory with one that it keeps.
type Cache interface {
	// Get returns the value of a key, and whether there is one: an empty value is one.
	Get(ctx context.Context, key string) (value []byte, ok bool, err error)
	// Set keeps a value for as long as the backend's limits allow, in place of an older one.
	Set(ctx context.Context, key string, value []byte) error
	// Delete removes a key and reports whether it was there.
	Delete(ctx context.Context, key string) (bool, error)
	// Entries lists what has not expired, by key. Listing is no use: it makes nothing younger.
	Entries(ctx context.Context, prefix string) ([]Entry, error)
	// Clear removes all keys with the prefix and returns how many there were.
	Clear(ctx context.Context, prefix string) (int, error)
	// Close gives back what the backend holds. A cache on disk or in Redis outlives it.
	Close() error
}

// Entry is what is known of a value without reading it.
type Entry struct {
	Key   string
	Bytes int64 // of the value
	// Stored is when it was set, the zero time where the backend does not know.
	Stored time.Time
	// Left is how long it will live, 0 for as long as there is room.
	Left time.Duration
	// Content is equal where entries share one value's bytes, empty where the backend keeps each by itself.
	Content string
}

// Config says which backend to use and within which limits.
type Config struct {
	// Backend is the name of a row of Backends.
	Backend string
	// MaxEntries is how many values the memory backend keeps, at least 1.
	MaxEntries int
	// MaxBytes is how many bytes of values the memory and disk backends keep, 0 for any number.
	MaxBytes int64
	// TTL is how long a value lives, 0 for as long as there is room. At exactly TTL it is gone.
	TTL time.Duration
	// Dir is the disk backend's folder. It is created with the first value.
	Dir string
	// RedisURL says where the server is, as redis://user:password@host:port/database.
	RedisURL string
	// Prefix keeps the keys of the redis backend apart from others' on the server. Without one it is
	// "perfgate:".
	Prefix string
	// Timeout limits each answer of the redis backend. Without one it is a second.
	Timeout time.Duration
	// Now is the clock of the memory and disk backends, time.Now where there is none.
	Now func() time.Time
	// Log hears of each look-up, from the goroutine that makes it.
	Log func(Event)
}

// Defaults are the limits that the command line starts from.
func Defaults() Config {
	return Config{Backend: "memory", MaxEntries: 1024, TTL: time.Hour}
}

// Backend is a row of Backends.
type Backend struct {
	Name string
	open func(Config, *counts) (Cache, error)
}

// Backends is the one list of backends. Help, errors and the tests range over it.
var Backends = []Backend{
	{Name: None, open: openNone},
	{Name: "memory", open: openMemory},
	{Name: "disk", open: openDisk},
	{Name: "redis", open: openRedis},
}

// FieldError is a Config that cannot be used.
type FieldError struct {
	// Field is the setting at fault, as the command line calls it: cache-backend, cache-max-entries,
	// cache-max-bytes, cache-ttl, cache-dir or redis-url.
	Field string
	Msg   string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Msg }

func fieldErrorf(field, format string, args ...any) error {
	return &FieldError{Field: field, Msg: fmt.Sprintf(format, args...)}
}

// check finds what no backend can work with.
func (c Config) check() error {
	switch {
	case c.TTL < 0:
		return fieldErrorf("cache-ttl", "%v is less than nothing; 0 keeps values for as long as there is room", c.TTL)
	case c.MaxBytes < 0:
		return fieldErrorf("cache-max-bytes", "%d is less than nothing; 0 sets no limit", c.MaxBytes)
	}
	return nil
}

// backend finds the row that the configuration names.
func (c Config) backend() (Backend, error) {
	var names []string
	for _, b := range Backends {
		if b.Name == c.Backend {
			return b, nil
		}
		names = append(names, b.Name)
	}
	return Backend{}, fieldErrorf("cache-backend", "%q is none of %q%s", c.Backend, names, suggest.Question(c.Backend, names))
}
