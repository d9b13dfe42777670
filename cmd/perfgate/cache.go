package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/org/perfgate/internal/cache"
	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/suggest"
)

// What is kept takes at most cacheBytes of the disk, which is the test binaries of both sides of a hundred
// packages or so, and is made again after cacheAge.
const (
	cacheBytes = 1 << 30
	cacheAge   = 14 * 24 * time.Hour
)

// kinds are what perfgate keeps between its runs, in the words of stats.
var kinds = []struct{ name, what string }{
	{harness.KindBinary, "linked test binaries"},
	{harness.KindGate, "toolchains that the gate works with"},
}

// cacheDir is the folder for what later runs on this machine need not find out again.
func (a *app) cacheDir() (string, error) {
	if a.runner.Active() {
		return "", errors.New("a job under GitHub Actions keeps nothing: the machine is thrown away after it")
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for a cache: %w", err)
	}
	return filepath.Join(dir, "perfgate"), nil
}

// openCache opens perfgate's cache, nil where there is no folder for one: then everything is made anew.
func (a *app) openCache(ctx context.Context) (*cache.Store, error) {
	dir, err := a.cacheDir()
	if err != nil {
		return nil, nil
	}
	return cache.Open(ctx, cache.Config{Backend: "disk", Dir: dir, MaxBytes: cacheBytes, TTL: cacheAge, Now: a.now})
}

// cacheArgs are cache's subcommands.
const cacheArgs = "stats|inspect|clear|warm"

// cacheCommand looks at, empties or fills what perfgate keeps between its runs.
func (a *app) cacheCommand(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "stats":
			return a.cacheStats(ctx, args[1:])
		case "inspect":
			return a.cacheInspect(ctx, args[1:])
		case "clear":
			return a.cacheClear(ctx, args[1:])
		case "warm":
			return a.cacheWarm(ctx, args[1:])
		case "-h", "--help":
			return ignoreHelp(newFlags("cache", cacheArgs).parse(a, args, 0))
		}
	}
	return usagef("want: perfgate cache stats, inspect, clear or warm")
}

// kept opens the cache, which must be possible here, and lists it.
func (a *app) kept(ctx context.Context, prefix string) (s *cache.Store, dir string, entries []cache.Entry, err error) {
	if dir, err = a.cacheDir(); err != nil {
		return nil, "", nil, err
	}
	if s, err = a.openCache(ctx); err != nil {
		return nil, "", nil, err
	}
	entries, err = s.Entries(ctx, prefix)
	return s, dir, entries, err
}

// cacheReport is what cache stats --json prints.
type cacheReport struct {
	Dir      string      `json:"dir"`
	MaxBytes int64       `json:"max_bytes"`
	MaxAge   float64     `json:"max_age_sec"`
	Entries  int         `json:"entries"`
	Bytes    int64       `json:"bytes"`
	Kinds    []kindStats `json:"kinds"`
}

// kindStats are the entries of a kind. Bytes are those on the disk, where entries with equal values share them.
type kindStats struct {
	Kind    string  `json:"kind"`
	What    string  `json:"what"`
	Entries int     `json:"entries"`
	Bytes   int64   `json:"bytes"`
	Newest  float64 `json:"newest_age_sec"`
	Oldest  float64 `json:"oldest_age_sec"`
}

func (a *app) cacheStats(ctx context.Context, args []string) error {
	f := newFlags("cache stats", "")
	asJSON := f.set.Bool("json", false, "print the figures as JSON")
	if err := f.parse(a, args, 0); err != nil {
		return ignoreHelp(err)
	}
	_, dir, entries, err := a.kept(ctx, "")
	if err != nil {
		return err
	}
	out := cacheReport{Dir: dir, MaxBytes: cacheBytes, MaxAge: cacheAge.Seconds(), Kinds: []kindStats{}}
	for _, k := range kinds {
		if s := a.statsOf(entries, k.name); s.Entries > 0 {
			s.What = k.what
			out.Kinds = append(out.Kinds, s)
			out.Entries += s.Entries
		}
	}
	out.Bytes = storedBytes(entries, func(key string) bool { return slices.Contains(kindNames(), cache.KindOf(key)) })
	if *asJSON {
		return printJSON(a.stdout, out)
	}
	fmt.Fprintf(a.stdout, "%s: %s, %s; at most %s, and %s\n", out.Dir, english.Plural(out.Entries, "entry", ""), humanize.IBytes(uint64(out.Bytes)), humanize.IBytes(cacheBytes), english.Plural(int(cacheAge.Hours()/24), "day", ""))
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, k := range out.Kinds {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s to %s old\t%s\n", k.Kind, k.Entries, humanize.IBytes(uint64(k.Bytes)), age(k.Newest), age(k.Oldest), k.What)
	}
	return w.Flush()
}

// statsOf sums up the entries of a kind.
func (a *app) statsOf(entries []cache.Entry, kind string) kindStats {
	s := kindStats{Kind: kind, Bytes: storedBytes(entries, func(key string) bool { return cache.KindOf(key) == kind })}
	for _, e := range entries {
		if cache.KindOf(e.Key) != kind {
			continue
		}
		old := a.now().Sub(e.Stored).Seconds()
		if s.Entries++; s.Entries == 1 {
			s.Newest, s.Oldest = old, old
		}
		s.Newest, s.Oldest = min(s.Newest, old), max(s.Oldest, old)
	}
	return s
}

// storedBytes sums up the values of the chosen entries. One that several share counts once.
func storedBytes(entries []cache.Entry, chosen func(key string) bool) (sum int64) {
	seen := map[string]bool{}
	for _, e := range entries {
		if !chosen(e.Key) || e.Content != "" && seen[e.Content] {
			continue
		}
		seen[e.Content] = true
		sum += e.Bytes
	}
	return sum
}

// age writes an age for people, who do not count its seconds.
func age(sec float64) string {
	d := time.Duration(sec * float64(time.Second))
	switch {
	case d < time.Minute:
		return d.Truncate(time.Second).String()
	case d < 48*time.Hour:
		return strings.TrimSuffix(d.Truncate(time.Minute).String(), "0s")
	}
	return english.Plural(int(d.Hours()/24), "day", "")
}

// inspected is a row of cache inspect --json.
type inspected struct {
	Key   string    `json:"key"`
	Bytes int64     `json:"bytes"`
	Since time.Time `json:"stored_at"`
	Left  float64   `json:"left_sec"`
}

func (a *app) cacheInspect(ctx context.Context, args []string) error {
	f := newFlags("cache inspect", "[KEY-PREFIX]")
	asJSON := f.set.Bool("json", false, "print the entries as JSON")
	if err := f.parse(a, args, 0, 1); err != nil {
		return ignoreHelp(err)
	}
	_, _, entries, err := a.kept(ctx, f.set.Arg(0))
	if err != nil {
		return err
	}
	if len(entries) == 0 && f.set.NArg() > 0 {
		return fmt.Errorf("no key begins with %q; see perfgate cache inspect", f.set.Arg(0))
	}
	rows := []inspected{}
	for _, e := range entries {
		rows = append(rows, inspected{Key: e.Key, Bytes: e.Bytes, Since: e.Stored.UTC(), Left: e.Left.Seconds()})
	}
	if *asJSON {
		return printJSON(a.stdout, rows)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, e := range entries {
		fmt.Fprintf(w, "%s\t%s\t%s old\t%s left\n", e.Key, humanize.IBytes(uint64(e.Bytes)), age(a.now().Sub(e.Stored).Seconds()), age(e.Left.Seconds()))
	}
	return w.Flush()
}

func (a *app) cacheClear(ctx context.Context, args []string) error {
	f := newFlags("cache clear", "")
	kind := f.set.String("kind", "", "only entries of this `KIND`: "+strings.Join(kindNames(), " or "))
	if err := f.parse(a, args, 0); err != nil {
		return ignoreHelp(err)
	}
	prefix := ""
	if f.set.Changed("kind") {
		if !slices.Contains(kindNames(), *kind) {
			return usagef("--kind %q: want %s%s", *kind, strings.Join(kindNames(), " or "), suggest.Question(*kind, kindNames()))
		}
		prefix = *kind + ":"
	}
	s, dir, _, err := a.kept(ctx, prefix)
	if err != nil {
		return err
	}
	n, err := s.Clear(ctx, prefix)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "%s: %s removed\n", dir, english.Plural(n, "entry", ""))
	return nil
}

func kindNames() (names []string) {
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// cacheWarm does what the next check would do before it measures: both sides' test binaries, the gate tried out.
func (a *app) cacheWarm(ctx context.Context, args []string) error {
	f := newFlags("cache warm", "")
	f.options("base", "packages", "bench", "tags", "gate", "metrics", "coverpkg", "prepare", "pass-env", "reports-dir", "working-directory")
	if err := f.parse(a, args, 0); err != nil {
		return ignoreHelp(err)
	}
	p, err := a.configure(f)
	if err != nil {
		return err
	}
	if _, err := a.cacheDir(); err != nil {
		return err
	}
	base, _, err := p.begin(ctx)
	if err != nil {
		return err
	}
	bench, err := p.goBench(ctx)
	if err != nil {
		return err
	}
	drop, err := p.checkout(ctx, base, bench)
	if err != nil {
		return err
	}
	defer drop()
	progress := newProgress(a.stderr)
	err = p.together(bench).RunScript(ctx, progress.observe)
	if err == nil {
		err = bench.Warm(ctx, p.config.Metrics != config.Times, progress.observe)
	}
	progress.close()
	if err = cmp.Or(err, bench.Cache.Failure()); err != nil {
		return err
	}
	s := bench.Cache.Stats()
	fmt.Fprintf(a.stdout, "the next check finds %s, %d of them new\n", english.Plural(int(s.Hits+s.Misses), "entry", ""), s.Sets)
	return nil
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
