package cache

import (
	"context"
	"errors"
	"testing"
)

// A configuration that cannot be used names the setting and says what to try.
func TestConfigErrors(t *testing.T) {
	tests := []struct {
		config Config
		want   string
	}{
		{Config{}, `cache-backend: "" is none of ["none" "memory" "disk" "redis"]`},
		{Config{Backend: "memori"}, `cache-backend: "memori" is none of ["none" "memory" "disk" "redis"]; did you mean "memory"?`},
		{Config{Backend: "memory"}, `cache-max-entries: 0 leaves no room: want 1 or more, or the backend "none"`},
		{Config{Backend: "memory", MaxEntries: -1}, `cache-max-entries: -1 leaves no room: want 1 or more, or the backend "none"`},
		{Config{Backend: "none", TTL: -1}, `cache-ttl: -1ns is less than nothing; 0 keeps values for as long as there is room`},
		{Config{Backend: "none", MaxBytes: -1}, `cache-max-bytes: -1 is less than nothing; 0 sets no limit`},
		{Config{Backend: "disk"}, `cache-dir: the backend "disk" needs a folder`},
		{Config{Backend: "redis"}, `redis-url: the backend "redis" needs one, such as redis://localhost:6379/0`},
		{Config{Backend: "redis", RedisURL: "localhost:6379"}, `redis-url: it is no URL of a Redis; want redis://USER:PASSWORD@HOST:PORT/DATABASE or rediss://, with signs like / and @ in the password as %2F and %40`},
	}
	for _, tt := range tests {
		_, err := Open(t.Context(), tt.config)
		if !errors.As(err, new(*FieldError)) || err.Error() != tt.want {
			t.Errorf("%+v:\n got %v\nwant %s", tt.config, err, tt.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	s := open(t, Defaults())
	look(t, s, numbered(1), "x", "x", false)
	look(t, s, numbered(1), "y", "x", true)
	if got := s.Stats(); got.Hits != 1 || got.Misses != 1 {
		t.Errorf("%+v, want a hit and a miss", got)
	}
}

// Two stores share nothing but a place on disk or on a server.
func TestStoresAreApart(t *testing.T) {
	a, b := open(t, Defaults()), open(t, Defaults())
	look(t, a, numbered(1), "a", "a", false)
	look(t, b, numbered(1), "b", "b", false)
}

// A caller who has left already gets nothing and costs nothing.
func TestCancelledBefore(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		s := open(t, b.config)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _, err := s.GetOrCompute(ctx, numbered(1), func(context.Context) ([]byte, error) {
			t.Error("computed")
			return nil, nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		wantStats(t, s, Stats{Backend: b.config.Backend})
	})
}
