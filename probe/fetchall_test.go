package probe_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/org/perfgate/internal/spans"
	"github.com/org/perfgate/probe"
)

// fetchAll asks all sources, ten at a time. Whatever the goroutine, what they do is below its span.
func fetchAll(ctx context.Context, sources []string) (err error) {
	ctx, span := probe.Span(ctx, "fetch_all", slog.Int("limit", 10))
	defer span.EndWith(&err)
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(10)
	for _, source := range sources {
		all.Go(func() error { return fetch(ctx, source) })
	}
	return all.Wait()
}

// Work that many goroutines share, with a limit, has one span with theirs below it.
func Example_fetchAll() {
	var told strings.Builder
	p := probe.New(&told, 0)
	fmt.Println(fetchAll(p.Attach(testContext), []string{"mirror", "mirror", "mirror"}))
	p.Close()
	for line := range strings.Lines(told.String()) {
		if l, err := spans.Decode([]byte(line)); err == nil && l.Span != nil {
			fmt.Println(strings.Join(l.Span, "/"), l.Count)
		}
	}
	// Output:
	// <nil>
	// fetch_all 1
	// fetch_all/fetch 3
}
