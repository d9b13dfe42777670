package mockllm

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"gonum.org/v1/gonum/mathext"

	"github.com/org/perfgate/internal/suggest"
)

// Bounds of what may be drawn. A distribution with a long tail must not hang a run.
const (
	maxDelay = time.Hour
	maxCount = 1_000_000
)

// Dist is a distribution of delays (of nanoseconds) or of counts. The zero value is always zero.
type Dist struct {
	text     string
	value    float64                 // where there is no quantile
	quantile func(u float64) float64 // for u in [0, 1), where it varies
}

// Fixed is a delay that does not vary.
func Fixed(d time.Duration) Dist { return Dist{text: d.String(), value: float64(d)} }

// Count is a number that does not vary.
func Count(n int) Dist { return Dist{text: strconv.Itoa(n), value: float64(n)} }

// String is the distribution as it was written.
func (d Dist) String() string {
	if d.text == "" {
		return "0"
	}
	return d.text
}

// delay is the i-th delay.
func (d Dist) delay(from stream, i int) time.Duration { return time.Duration(d.at(from, i)) }

func (d Dist) at(from stream, i int) float64 {
	if d.quantile == nil {
		return d.value
	}
	return math.Round(d.quantile(from.uniform(i)))
}

// of is the value at a quantile.
func (d Dist) of(u float64) float64 {
	if d.quantile == nil {
		return d.value
	}
	return d.quantile(u)
}

// reader reads the values of a distribution.
type reader struct {
	what  string // what a value is, for errors
	value func(text string) (float64, error)
	max   float64
	file  func(name string) ([]byte, error)
}

// ParseDelay reads a distribution of delays: a duration, a bare number of seconds, or a name with
// parameters such as lognormal:p50=120ms,p99=400ms. Files with recorded delays are read by readFile.
func ParseDelay(text string, readFile func(name string) ([]byte, error)) (Dist, error) {
	return reader{what: "a delay such as 80ms", value: delayValue, max: float64(maxDelay), file: readFile}.parse(text)
}

// ParseCount is ParseDelay for whole numbers from 1, such as of tokens.
func ParseCount(text string, readFile func(name string) ([]byte, error)) (Dist, error) {
	d, err := reader{what: "a whole number such as 64", value: countValue, max: maxCount, file: readFile}.parse(text)
	if err == nil && d.quantile == nil && d.value < 1 {
		err = errors.New("want at least 1")
	}
	return d, err
}

func delayValue(text string) (float64, error) {
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		text = strconv.FormatFloat(n, 'f', -1, 64) + "s"
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is no delay; want a duration such as 80ms, or a number of seconds", text)
	case d < 0:
		return 0, fmt.Errorf("%q is negative", text)
	case d > maxDelay:
		return 0, fmt.Errorf("%q is more than %v", text, maxDelay)
	}
	return float64(d), nil
}

func countValue(text string) (float64, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n > maxCount {
		return 0, fmt.Errorf("%q is no whole number from 0 to %d", text, maxCount)
	}
	return float64(n), nil
}

// family is a kind of distribution: its parameters, of which the last may be left out where it is
// marked, and how its quantiles follow from them.
type family struct {
	name   string
	params string // as in the usage text
	build  func(p *params) func(u float64) float64
}

// families is the one list of distributions, but for mixtures of them. Quantiles are by inversion, one uniform
// number each, which is what makes a draw independent of all others; gonum's distributions have them too, and
// 24 packages of linear algebra with them, unlike its special functions.
var families = []family{
	{"fixed", "value=V", func(p *params) func(float64) float64 {
		v := p.value("value")
		return func(float64) float64 { return v }
	}},
	{"uniform", "lower=V,upper=V", func(p *params) func(float64) float64 {
		lower, upper := p.value("lower"), p.value("upper")
		p.require(lower <= upper, "lower must not exceed upper")
		return func(u float64) float64 { return lower + u*(upper-lower) }
	}},
	{"normal", "mean=V,std=V", func(p *params) func(float64) float64 {
		mean, std := p.value("mean"), p.value("std")
		return func(u float64) float64 { return mean + std*normalQuantile(u) }
	}},
	{"lognormal", "p50=V,p99=V or p50=V,sigma=X", lognormal},
	{"exponential", "mean=V", func(p *params) func(float64) float64 {
		mean := p.value("mean")
		return func(u float64) float64 { return -mean * math.Log1p(-u) }
	}},
	{"gamma", "mean=V,shape=X", func(p *params) func(float64) float64 {
		mean, shape := p.value("mean"), p.number("shape", 0.01, 1e6)
		return func(u float64) float64 { return mean / shape * mathext.GammaIncRegInv(shape, u) }
	}},
	{"empirical", "p50=V,p90=V,..., of any quantiles", empirical},
	{"replay", "file=FILE", func(p *params) func(float64) float64 {
		values := p.recorded("file")
		return func(u float64) float64 { return values[int(u*float64(len(values)))] }
	}},
}

func lognormal(p *params) func(u float64) float64 {
	p50, sigma := p.value("p50"), 0.0
	if p.has("sigma") {
		sigma = p.number("sigma", 0, 10)
	} else {
		p99 := p.value("p99")
		p.require(p50 > 0 && p99 >= p50, "want p50 more than 0, and p99 at least p50")
		sigma = math.Log(p99/p50) / normalQuantile(0.99)
	}
	return func(u float64) float64 { return p50 * math.Exp(sigma*normalQuantile(u)) }
}

// empirical interpolates between quantiles that are given, such as those that a service was seen to have. Below
// the first and above the last of them nothing is known, and values are theirs.
func empirical(p *params) func(u float64) float64 {
	var at, values []float64
	for name := range p.texts {
		if percent, ok := strings.CutPrefix(name, "p"); ok {
			if v, err := strconv.ParseFloat(percent, 64); err == nil && v >= 0 && v <= 100 {
				at = append(at, v)
			}
		}
	}
	slices.Sort(at)
	for _, v := range at {
		values = append(values, p.value("p"+strconv.FormatFloat(v, 'f', -1, 64)))
	}
	p.require(len(at) >= 2, "want two quantiles or more, such as p50=80ms,p99=400ms")
	p.require(slices.IsSorted(values), "a higher quantile must not be less than a lower one")
	return func(u float64) float64 {
		i, found := slices.BinarySearch(at, 100*u)
		switch {
		case found || i == 0:
			return values[i]
		case i == len(at):
			return values[i-1]
		}
		return values[i-1] + (100*u-at[i-1])/(at[i]-at[i-1])*(values[i]-values[i-1])
	}
}

// normalQuantile is that of the standard normal distribution, finite also for 0: a spread of nothing times
// infinity would be no number.
func normalQuantile(u float64) float64 { return math.Sqrt2 * math.Erfinv(2*max(u, 0x1p-54)-1) }

// Distributions lists the names and parameters of all distributions, for usage texts. Each takes min and
// max as well.
func Distributions() []string {
	var all []string
	for _, f := range families {
		all = append(all, f.name+":"+f.params)
	}
	return append(all, mixture+":"+mixtureParams)
}

func (r reader) parse(text string) (Dist, error) {
	text = strings.TrimSpace(text)
	name, rest, named := strings.Cut(text, ":")
	if !named {
		v, err := r.value(text)
		if err != nil && isName(text) {
			return Dist{}, r.unknown(text)
		}
		return Dist{text: text, value: v}, err
	}
	if name == mixture {
		return r.mix(text, rest)
	}
	for _, f := range families {
		if f.name == name {
			return r.build(text, f, rest)
		}
	}
	return Dist{}, r.unknown(name)
}

// isName tells a distribution without parameters from a value with a wrong unit.
func isName(text string) bool { return text != "" && unicode.IsLetter(rune(text[0])) }

func (r reader) unknown(name string) error {
	var names []string
	for _, d := range Distributions() {
		known, _, _ := strings.Cut(d, ":")
		if known == name {
			return fmt.Errorf("%q says no parameters; want %s", name, d)
		}
		names = append(names, known)
	}
	return fmt.Errorf("%q is no distribution%s; want %s, or one of %s", name, suggest.Question(name, names), r.what, strings.Join(Distributions(), "; "))
}

// build makes a distribution from its parameters, within its bounds.
func (r reader) build(text string, f family, list string) (Dist, error) {
	p := &params{reader: r, texts: map[string]string{}, used: map[string]bool{}}
	for item := range strings.SplitSeq(list, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(item), "=")
		if _, twice := p.texts[key]; !ok || twice {
			return Dist{}, fmt.Errorf("%q: want %s:%s", item, f.name, f.params)
		}
		p.texts[key] = value
	}
	quantile := f.build(p)
	lower, upper := 0.0, r.max
	if p.has("min") {
		lower = p.value("min")
	}
	if p.has("max") {
		upper = p.value("max")
	}
	p.require(lower <= upper, "min must not exceed max")
	for key := range p.texts {
		if !p.used[key] {
			p.fail("%s has no parameter %q%s; it has %s, min=V and max=V", f.name, key, suggest.Question(key, p.names()), f.params)
		}
	}
	if p.err != nil {
		return Dist{}, fmt.Errorf("%s: %w", f.name, p.err)
	}
	return Dist{text: text, quantile: func(u float64) float64 { return min(max(quantile(u), lower), upper) }}, nil
}

// params are the parameters of a distribution, being read. The first error stays.
type params struct {
	reader
	texts map[string]string
	used  map[string]bool
	err   error
}

func (p *params) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

func (p *params) require(ok bool, message string) {
	if !ok {
		p.fail("%s", message)
	}
}

func (p *params) has(name string) bool {
	p.used[name] = true
	_, ok := p.texts[name]
	return ok
}

func (p *params) names() []string {
	var names []string
	for name := range p.used {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (p *params) value(name string) float64 {
	if !p.has(name) {
		p.fail("without %s", name)
		return 0
	}
	v, err := p.reader.value(p.texts[name])
	if err != nil {
		p.fail("%s: %w", name, err)
	}
	return v
}

func (p *params) number(name string, least, most float64) float64 {
	if !p.has(name) {
		p.fail("without %s", name)
		return least
	}
	v, err := strconv.ParseFloat(p.texts[name], 64)
	if err != nil || !(v >= least && v <= most) {
		p.fail("%s: want a number from %v to %v", name, least, most)
		return least
	}
	return v
}

// recorded reads a file with a value a line; empty lines and lines that begin with # say nothing. The
// values are sorted, so that a larger number draws a longer delay, as with the other distributions.
func (p *params) recorded(name string) []float64 {
	if !p.has(name) || p.file == nil {
		p.fail("without %s", name)
		return []float64{0}
	}
	data, err := p.file(p.texts[name])
	if err != nil {
		p.fail("%w", err)
	}
	var values []float64
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		v, err := p.reader.value(text)
		if err != nil {
			p.fail("%s:%d: %w", p.texts[name], n, err)
		}
		values = append(values, v)
	}
	if err := lines.Err(); err != nil {
		p.fail("%s: %w", p.texts[name], err)
	}
	if len(values) == 0 {
		p.fail("%s: no values", p.texts[name])
		return []float64{0}
	}
	slices.Sort(values)
	return values
}
