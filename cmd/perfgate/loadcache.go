package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/org/perfgate/internal/cache"
)

// readCache checks the settings of the plan cache.
func (l *loader) readCache() error {
	for _, what := range l.logCache {
		if what != "hit" && what != "miss" {
			return usagef("--log-cache: %q: want hit, miss or hit,miss", what)
		}
	}
	l.plans = cache.Config{Backend: l.cacheBackend, MaxEntries: l.cacheEntries, RedisURL: l.redisURL}
	if err := l.durations(map[string]*time.Duration{"cache-ttl": &l.plans.TTL}); err != nil {
		return err
	}
	if l.target != "pipeline" {
		return nil
	}
	c := l.plans
	c.Dir = filepath.Join(l.p.root, l.p.config.ReportsDir, "plans") // of which nothing is made before a value is set
	store, err := cache.Open(context.Background(), c)
	if err != nil {
		return err
	}
	if len(l.logCache) > 0 {
		lines := &cacheLog{w: l.p.app.stderr, hits: slices.Contains(l.logCache, "hit"), misses: slices.Contains(l.logCache, "miss")}
		l.plans.Log = lines.print
	}
	return store.Close()
}

// cacheLog prints look-ups, which come from many goroutines.
type cacheLog struct {
	mu           sync.Mutex
	w            io.Writer
	hits, misses bool
}

func (c *cacheLog) print(e cache.Event) {
	what := map[bool]string{true: "hit", false: "miss"}[e.Hit]
	if e.Hit && !c.hits || !e.Hit && !c.misses {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.w, "perfgate: cache=%s key=%.24s…\n", what, e.Key)
}
