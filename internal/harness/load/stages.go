package load

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Stage is a stretch of an open plan: its rate moves from From to To, in runs a second, over Length. Where
// they are equal it is constant.
type Stage struct {
	From, To float64
	Length   time.Duration
}

// Burst is Size runs at the same moment, again and again for Length.
type Burst struct {
	Size          int
	Every, Length time.Duration
}

// maxRate is the highest rate that one pacing goroutine can be asked for.
const maxRate = 1e6

func (s Stage) check() error {
	for _, rate := range []float64{s.From, s.To} {
		if !(rate >= 0 && rate <= maxRate) {
			return fieldErrorf("rate", "%g/s: want more than 0 and at most %g", rate, maxRate)
		}
	}
	if s.Length <= 0 {
		return fieldErrorf("duration", "%v: want more than nothing", s.Length)
	}
	return nil
}

func (b *Burst) check() error {
	switch {
	case b.Size < 1 || b.Size > maxRuns:
		return fieldErrorf("burst", "%d runs: want at least 1 and at most %d", b.Size, maxRuns)
	case b.Every <= 0:
		return fieldErrorf("burst", "every %v: want more than nothing", b.Every)
	case b.Length <= 0:
		return fieldErrorf("duration", "%v: want more than nothing", b.Length)
	case float64(b.Size)*(1+float64(b.Length)/float64(b.Every)) > maxRuns:
		return fieldErrorf("duration", "bursts of %d every %v for %v are more than the %d runs that one schedule may have", b.Size, b.Every, b.Length, maxRuns)
	}
	return nil
}

// runs is the area under the stage's rate: how many runs it holds.
func (s Stage) runs() float64 { return (s.From + s.To) / 2 * s.Length.Seconds() }

// at is the time within the stage, in seconds, at which x runs are due: the root of a·t²/2 + b·t = x, with
// a the slope of the rate and b its beginning. Written so that nothing is subtracted, because the usual
// form loses its digits where the slope is small.
func (s Stage) at(x float64) float64 {
	if x <= 0 {
		return 0
	}
	length := s.Length.Seconds()
	slope := (s.To - s.From) / length
	root := math.Sqrt(math.Max(0, s.From*s.From+2*slope*x))
	return math.Min(length, 2*x/(s.From+root))
}

// ParseStages reads stages separated by commas: 200/s:5s, or 10..200/s:30s for a ramp. A bare number after
// the colon is seconds.
func ParseStages(text string) ([]Stage, error) {
	var stages []Stage
	for part := range strings.SplitSeq(text, ",") {
		rates, length, ok := strings.Cut(strings.TrimSpace(part), ":")
		if !ok {
			return nil, fieldErrorf("stages", "%q: want a rate and how long it holds, such as 200/s:5s or 10..200/s:30s", part)
		}
		from, to, ramp := strings.Cut(rates, "..")
		if !ramp {
			to = from
		}
		var s Stage
		var err error
		if s.To, err = ParseRate(to); err != nil {
			return nil, err
		}
		if s.From, err = ParseRate(from); err != nil {
			return nil, err
		}
		if s.Length, err = ParseDuration(length); err != nil {
			return nil, fieldErrorf("stages", "%q: %v", part, err)
		}
		stages = append(stages, s)
	}
	return stages, nil
}

// ParseRate reads a rate a second, such as 200/s or 200. A minute and an hour are m and h.
func ParseRate(text string) (float64, error) {
	number, per, _ := strings.Cut(strings.TrimSpace(text), "/")
	seconds, known := map[string]float64{"": 1, "s": 1, "m": 60, "h": 3600}[per]
	rate, err := strconv.ParseFloat(number, 64)
	if err != nil || !known || math.IsNaN(rate) || math.IsInf(rate, 0) || rate < 0 {
		return 0, fieldErrorf("rate", "%q: want runs a second, minute or hour, such as 200/s", text)
	}
	return rate / seconds, nil
}

// ParseBurst reads a burst's size and the time between two, such as 50@1s.
func ParseBurst(text string) (*Burst, error) {
	size, every, ok := strings.Cut(text, "@")
	n, err := strconv.Atoi(size)
	d, derr := ParseDuration(every)
	if !ok || err != nil || derr != nil {
		return nil, fieldErrorf("burst", "%q: want a number of runs and the time between two bursts, such as 50@1s", text)
	}
	return &Burst{Size: n, Every: d}, nil
}

// ParseDuration reads a duration that is not negative, such as 90s or 10ms. A bare number is seconds.
func ParseDuration(text string) (time.Duration, error) {
	const want = "want a duration such as 10ms or 90s that is not negative; a bare number is seconds"
	d, err := time.ParseDuration(text)
	if sec, ferr := strconv.ParseFloat(text, 64); ferr == nil {
		ns := math.Round(sec * 1e9)
		if !(ns >= 0 && ns < math.MaxInt64) {
			return 0, fieldErrorf("duration", "%q: %s", text, want)
		}
		return time.Duration(ns), nil
	}
	if err != nil || d < 0 {
		return 0, fieldErrorf("duration", "%q: %s", text, want)
	}
	return d, nil
}
