package probe_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"

	"github.com/org/perfgate/probe"
)

var testContext = context.Background()

// A function with a span, which ends with it whether it returns, fails or panics.
func fetch(ctx context.Context, source string) (err error) {
	ctx, span := probe.Span(ctx, "fetch", slog.String("source", source))
	defer span.EndWith(&err)
	if source == "mirror" {
		probe.Hit(ctx, "sources")
		return nil
	}
	probe.Miss(ctx, "sources")
	return fmt.Errorf("%s: no answer", source)
}

// The main function of a program that perfgate starts.
func Example() {
	defer probe.Flush() // nothing else is called at the end of a program
	ctx, phase := probe.Phase(context.Background(), "load")
	fmt.Println(fetch(ctx, "origin"))
	fmt.Println(fetch(ctx, "mirror"))
	phase.End()
	// Output:
	// origin: no answer
	// <nil>
}

func ExampleNew() {
	var out strings.Builder
	p := probe.New(&out, 0)
	ctx := p.Attach(context.Background())
	fetch(ctx, "origin")
	fetch(ctx, "mirror")
	p.Close()
	fmt.Print(regexp.MustCompile(`_?ns":\d+|"buckets":\S+\],`).ReplaceAllString(out.String(), `…`))
	// Output:
	// {"span":["fetch"],"begun":2,"count":2,"…,"self…,"min…,"max…,"errors":1,…"attrs":{"source":{"mirror":1,"origin":1}}}
	// {"cache":"sources","hits":1,"misses":1}
}

func ExampleWrap() {
	open := probe.Wrap("open", func(_ context.Context, name string) (*os.File, error) { return os.Open(name) })
	f, err := open(context.Background(), os.DevNull)
	fmt.Println(f.Name() == os.DevNull, err)
	// Output: true <nil>
}

func ExampleDo() {
	err := probe.Do(context.Background(), "migrate", func(ctx context.Context) error {
		probe.Count(ctx, "rows", 1000)
		return nil
	})
	fmt.Println(err)
	// Output: <nil>
}
