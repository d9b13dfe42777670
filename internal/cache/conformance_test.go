package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
)

// clock is a clock that stands still.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(1_800_000_000, c.ns.Load()) }

func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

// bench is a backend under test, empty, with its time.
type bench struct {
	config  Config
	advance func(time.Duration)
	// margin is how closely its time can be set: a real server's does not stand still.
	margin time.Duration
	// keeps is false for the backend that keeps nothing.
	keeps bool
	// expires and stored say that the backend counts expirations and knows when a value was stored.
	expires, stored bool
}

// benches makes, for each row of Backends, what it is tested with.
var benches = map[string]func(t *testing.T) bench{
	None: func(t *testing.T) bench {
		return bench{config: Config{Backend: None}, advance: func(time.Duration) {}}
	},
	"memory": func(t *testing.T) bench {
		c := &clock{}
		return bench{config: Config{Backend: "memory", MaxEntries: 1000, Now: c.now}, advance: c.advance, keeps: true, expires: true, stored: true}
	},
	"disk": func(t *testing.T) bench {
		c := &clock{}
		return bench{config: Config{Backend: "disk", Dir: filepath.Join(t.TempDir(), "cache"), Now: c.now}, advance: c.advance, keeps: true, expires: true, stored: true}
	},
	"redis": func(t *testing.T) bench {
		server := miniredis.RunT(t)
		refuseSlow(server)
		return bench{config: Config{Backend: "redis", RedisURL: "redis://" + server.Addr()}, advance: server.FastForward, margin: time.Second, keeps: true}
	},
}

// each runs a test for all backends.
func each(t *testing.T, run func(t *testing.T, b bench)) {
	for _, b := range Backends {
		t.Run(b.Name, func(t *testing.T) {
			if benches[b.Name] == nil {
				t.Fatalf("backend %s is not tested", b.Name)
			}
			run(t, benches[b.Name](t))
		})
	}
	if u := os.Getenv(realRedis); u != "" {
		t.Run("redis-server", func(t *testing.T) { run(t, serverBench(t, u)) })
	}
}

func open(t *testing.T, c Config) *Store {
	t.Helper()
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// value is a computation that comes to text.
func value(text string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return []byte(text), nil }
}

// look looks a key up and fails unless it comes to want, as a hit or not.
func look(t *testing.T, s *Store, key Key, compute, want string, wantHit bool) {
	t.Helper()
	got, hit, err := s.GetOrCompute(t.Context(), key, value(compute))
	if err != nil || string(got) != want || hit != wantHit {
		t.Fatalf("%v: got %q, hit %v, %v; want %q, hit %v", key, got, hit, err, want, wantHit)
	}
}

func numbered(i int) Key { return NewKey("test", 1, fmt.Sprint(i)) }

func keysOf(entries []Entry) (keys []string) {
	for _, e := range entries {
		keys = append(keys, e.Key)
	}
	return keys
}

func TestKeeps(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		s := open(t, b.config)
		look(t, s, numbered(1), "one", "one", false)
		if !b.keeps {
			look(t, s, numbered(1), "again", "again", false)
			wantStats(t, s, Stats{Backend: b.config.Backend, Misses: 2})
			return
		}
		look(t, s, numbered(1), "again", "one", true)
		look(t, s, numbered(2), "", "", false)
		look(t, s, numbered(2), "an empty value is one", "", true)
		look(t, s, numbered(3), "\x00\xff\n", "\x00\xff\n", false)
		look(t, s, numbered(3), "", "\x00\xff\n", true)
		wantStats(t, s, Stats{Backend: b.config.Backend, Hits: 3, Misses: 3, Sets: 3})
	})
}

// Get and Set are for what a caller checks by itself.
func TestGetAndSet(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		s := open(t, b.config)
		get := func(want string, wantHit bool) {
			t.Helper()
			if got, hit := s.Get(t.Context(), numbered(1)); string(got) != want || hit != wantHit {
				t.Errorf("got %q, %v, want %q, %v", got, hit, want, wantHit)
			}
		}
		get("", false)
		s.Set(t.Context(), numbered(1), []byte("a"))
		if !b.keeps {
			get("", false)
			wantStats(t, s, Stats{Backend: b.config.Backend, Misses: 2})
			return
		}
		get("a", true)
		s.Set(t.Context(), numbered(1), []byte("longer")) // in place of the older one
		get("longer", true)
		wantStats(t, s, Stats{Backend: b.config.Backend, Hits: 2, Misses: 1, Sets: 2})
	})
}

func wantStats(t *testing.T, s *Store, want Stats) {
	t.Helper()
	if diff := cmp.Diff(want, s.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	if err := s.Failure(); err != nil {
		t.Error(err)
	}
}

// What a caller does with a value is nobody else's business.
func TestValuesAreCopies(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		s := open(t, b.config)
		made := []byte("value")
		got, _, err := s.GetOrCompute(t.Context(), numbered(1), func(context.Context) ([]byte, error) { return made, nil })
		if err != nil {
			t.Fatal(err)
		}
		made[0], got[1] = 'X', 'X'
		second, _, err := s.GetOrCompute(t.Context(), numbered(1), value("value"))
		if err != nil || string(second) != "value" {
			t.Fatalf("got %q, %v", second, err)
		}
		second[2] = 'X'
		if third, _, err := s.GetOrCompute(t.Context(), numbered(1), value("value")); string(third) != "value" {
			t.Errorf("got %q, %v", third, err)
		}
	})
}

func TestExpiry(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		b.config.TTL = time.Minute
		s := open(t, b.config)
		look(t, s, numbered(1), "old", "old", false)
		b.advance(time.Minute - max(b.margin, time.Nanosecond))
		look(t, s, numbered(1), "new", map[bool]string{true: "old", false: "new"}[b.keeps], b.keeps)
		b.advance(max(b.margin, time.Nanosecond)) // a hit makes a value no younger
		look(t, s, numbered(1), "new", "new", false)
		look(t, s, numbered(1), "newer", map[bool]string{true: "new", false: "newer"}[b.keeps], b.keeps)
		if got := s.Stats().Expirations; b.expires && got != 1 {
			t.Errorf("%d expirations, want 1", got)
		}
		b.advance(time.Minute)
		if entries, err := s.Entries(t.Context(), ""); err != nil || len(entries) != 0 {
			t.Errorf("expired values are listed: %v, %v", entries, err)
		}
	})
}

func TestNoExpiry(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		s := open(t, b.config)
		look(t, s, numbered(1), "old", "old", false)
		b.advance(10 * 365 * 24 * time.Hour)
		look(t, s, numbered(1), "old", "old", b.keeps)
	})
}

func TestEntries(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		b.config.TTL = time.Hour
		s := open(t, b.config)
		for _, k := range []Key{NewKey("plan", 1, "a"), NewKey("plan", 2, "a"), NewKey("plans", 1, "a"), NewKey("work", 1, "a")} {
			look(t, s, k, k.Kind(), k.Kind(), false)
		}
		b.advance(time.Minute)
		got, err := s.Entries(t.Context(), "plan:")
		if err != nil {
			t.Fatal(err)
		}
		if !b.keeps {
			if len(got) != 0 {
				t.Errorf("got %v", got)
			}
			return
		}
		want := []string{NewKey("plan", 1, "a").String(), NewKey("plan", 2, "a").String()}
		if diff := cmp.Diff(want, keysOf(got)); diff != "" {
			t.Fatalf("keys (-want +got):\n%s", diff)
		}
		if got[0].Bytes != 4 || got[0].Left > 59*time.Minute || got[0].Left <= 59*time.Minute-max(b.margin, time.Second) || got[0].Stored.IsZero() == b.stored {
			t.Errorf("got %+v", got[0])
		}
		if got, err = s.Entries(t.Context(), ""); err != nil || len(got) != 4 {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestRemoval(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		s := open(t, b.config)
		for i := range 700 { // more than Redis scans at once
			look(t, s, numbered(i), "x", "x", false)
		}
		look(t, s, NewKey("other", 1), "x", "x", false)
		for _, want := range []bool{b.keeps, false} {
			if got, err := s.Delete(t.Context(), numbered(0)); err != nil || got != want {
				t.Errorf("Delete = %v, %v, want %v", got, err, want)
			}
		}
		look(t, s, numbered(0), "y", "y", false)
		for _, want := range []int{700, 0} {
			if !b.keeps {
				want = 0
			}
			if got, err := s.Clear(t.Context(), "test:"); err != nil || got != want {
				t.Errorf("Clear = %d, %v, want %d", got, err, want)
			}
		}
		look(t, s, NewKey("other", 1), "y", map[bool]string{true: "x", false: "y"}[b.keeps], b.keeps)
		look(t, s, numbered(5), "z", "z", false)
		if st := s.Stats(); b.keeps && (st.Evictions != 0 || st.Expirations != 0) {
			t.Errorf("removal is neither eviction nor expiration: %+v", st)
		}
	})
}

func TestErrorsAreNotKept(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		s := open(t, b.config)
		cause := errors.New("out of luck")
		_, hit, err := s.GetOrCompute(t.Context(), numbered(1), func(context.Context) ([]byte, error) { return []byte("half"), cause })
		if !errors.Is(err, cause) || hit {
			t.Errorf("got hit %v, %v", hit, err)
		}
		look(t, s, numbered(1), "whole", "whole", false)
		if got := s.Stats(); got.Misses != 2 || got.Errors != 0 {
			t.Errorf("got %+v", got)
		}
	})
}

// Twenty callers at once compute once, and the counts do not tell that they came at once. Without a cache
// all of them compute.
func TestTwentyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		s := open(t, b.config)
		var computed atomic.Int64
		release := make(chan struct{})
		compute := func(context.Context) ([]byte, error) {
			computed.Add(1)
			<-release
			return []byte("plan"), nil
		}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if got, _, err := s.GetOrCompute(t.Context(), numbered(1), compute); err != nil || string(got) != "plan" {
					t.Errorf("got %q, %v", got, err)
				}
			})
		}
		close(release)
		wg.Wait()
		want := Stats{Backend: b.config.Backend, Hits: 19, Misses: 1, Sets: 1}
		if !b.keeps {
			want = Stats{Backend: b.config.Backend, Misses: 20}
		}
		got := s.Stats()
		got.Coalesced = 0 // it depends on who came when
		if diff := cmp.Diff(want, got); diff != "" || computed.Load() != want.Misses {
			t.Errorf("computed %d times, stats (-want +got):\n%s", computed.Load(), diff)
		}
	})
}

func TestEvents(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		var got []string
		b.config.Log = func(e Event) { got = append(got, fmt.Sprintf("%s %v", e.Key.Kind(), e.Hit)) }
		s := open(t, b.config)
		look(t, s, numbered(1), "x", "x", false)
		look(t, s, numbered(1), "x", "x", b.keeps)
		if want := []string{"test false", fmt.Sprintf("test %v", b.keeps)}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// Keys of other stores in the same place stay apart from those of a prefix with the signs of patterns.
func TestPrefixIsNoPattern(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		s := open(t, b.config)
		look(t, s, numbered(1), "x", "x", false)
		for _, prefix := range []string{"t?st:", "*", "[t]est", strings.Repeat("x", 300)} {
			if got, err := s.Clear(t.Context(), prefix); err != nil || got != 0 {
				t.Errorf("Clear(%q) = %d, %v", prefix, got, err)
			}
		}
		look(t, s, numbered(1), "y", map[bool]string{true: "x", false: "y"}[b.keeps], b.keeps)
	})
}
