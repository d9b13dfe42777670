package main

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/result"
)

// profilesDir is the folder of the profiles below that of the reports.
const profilesDir = "profiles"

// leastExplaining is the time for explanations however small the budget is. It is more than the budget, which is
// for the verdict.
const leastExplaining = 30 * time.Second

// explaining says what is explained when f is measured, nil for nothing.
func (p *project) explaining(f *result.File) *harness.Explaining {
	if p.config.Why == "" || p.config.Why == config.None || f.Base == nil {
		return nil
	}
	return &harness.Explaining{
		Wishes: func(base, head *result.Set) []harness.Wish {
			measured := *f
			p.fill(&measured, base, head)
			return wishes(compare.Judge(&measured, p.config.Policy()), p.config)
		},
		Limit: max(p.config.Budget/2, leastExplaining),
		Keep:  p.keepProfiles(),
	}
}

// keepProfiles keeps profiles, in the place of those of the run before.
func (p *project) keepProfiles() func(k result.Key, kind string, profile []byte) (string, error) {
	cleared := false
	return func(k result.Key, kind string, profile []byte) (string, error) {
		if !cleared {
			if err := os.RemoveAll(p.reports(profilesDir)); err != nil {
				return "", err
			}
			cleared = true
		}
		return p.keepProfile(k, kind, profile)
	}
}

// wishes are the benchmarks to explain, those that changed most first: what fails the gate against base, or all.
func wishes(o *compare.Outcome, c *config.Config) []harness.Wish {
	var out []harness.Wish
	for _, row := range o.Comparisons {
		all := c.Why == config.AllBenchmarks
		if row.Against != compare.AgainstBase || row.Unit.Name == "" || !all && (row.Verdict != compare.Regression || !row.Failing()) {
			continue
		}
		i := slices.IndexFunc(out, func(w harness.Wish) bool { return w.Key == row.Key })
		if i < 0 {
			i, out = len(out), append(out, harness.Wish{Key: row.Key})
		}
		underLoad := row.Key.Suite == harness.SuiteLoad && row.Unit.Timing() && row.Failing()
		if (row.Unit.Name == "sec/op" || underLoad) && !math.IsNaN(row.Change) {
			out[i].Change = max(math.Abs(row.Change), c.Effect)
		}
	}
	slices.SortStableFunc(out, func(a, b harness.Wish) int { return cmp.Compare(b.Change, a.Change) })
	return out
}

// odd is what a file's name does not hold of a benchmark's.
var odd = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// keepProfile writes a profile and returns its name, relative to the project's root.
func (p *project) keepProfile(k result.Key, kind string, profile []byte) (string, error) {
	dir := p.reports(profilesDir)
	if err := p.makeReports(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	giveBack(dir, p.root)
	name := filepath.Join(profilesDir, profileName(k)+"."+kind+".pb.gz")
	return path.Join(filepath.ToSlash(p.config.ReportsDir), filepath.ToSlash(name)), p.put(name, profile)
}

// profileName is a benchmark's name as part of a file's, and different for each.
func profileName(k result.Key) string {
	const longest = 80
	h := fnv.New32a()
	h.Write([]byte(k.Suite + "\x00" + k.Package + "\x00" + k.Name))
	text := strings.Trim(odd.ReplaceAllString(k.Name, "_"), "._-")
	return fmt.Sprintf("%.*s-%08x", longest, text, h.Sum32())
}
