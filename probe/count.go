package probe

import "context"

// Count adds n, which is not negative, to the counter of that name.
func Count(ctx context.Context, name string, n int64) {
	if o := above(ctx); o != nil && n > 0 {
		named(&o.p.counters, name).n.Add(n)
	}
}

// Hit counts a look-up that the cache of that name answered.
func Hit(ctx context.Context, cache string) {
	if o := above(ctx); o != nil {
		named(&o.p.caches, cache).n.Add(1)
	}
}

// Miss counts a look-up that it did not answer.
func Miss(ctx context.Context, cache string) {
	if o := above(ctx); o != nil {
		named(&o.p.caches, cache).misses.Add(1)
	}
}
