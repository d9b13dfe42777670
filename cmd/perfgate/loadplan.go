package main

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/org/perfgate/internal/harness/load"
)

// readPlan makes the plan from the flags.
func (l *loader) readPlan() error {
	p := &l.plan
	*p = load.Plan{Runs: l.runs, Chunks: l.chunks, MaxInFlight: l.maxInFlight, Warmup: l.warmup, Seed: l.seed}
	if err := l.durations(map[string]*time.Duration{"pause": &p.Pause, "think": &p.Think, "grace": &p.Grace, "timeout": &p.Timeout}); err != nil {
		return err
	}
	if l.set.Changed("runs") && l.runs < 1 {
		return usagef("--runs: %d: want at least 1", l.runs)
	}
	var given []string
	for _, name := range []string{"rate", "ramp", "stages", "burst", "replay"} {
		if l.set.Lookup(name).Value.String() != "" {
			given = append(given, "--"+name)
		}
	}
	if len(given) > 1 {
		return usagef("%s exclude each other", strings.Join(given, " and "))
	}
	if len(given) == 0 {
		for _, name := range []string{"duration", "arrival", "max-inflight", "grace"} {
			if l.set.Changed(name) {
				return usagef("--%s belongs to a rate: give --rate, --ramp, --stages, --burst or --replay, or leave it out", name)
			}
		}
		return nil
	}
	return l.readOpen(strings.TrimPrefix(given[0], "--"))
}

// readOpen reads what the runs of an open plan start by.
func (l *loader) readOpen(by string) error {
	for _, name := range []string{"chunks", "pause", "think", "concurrency"} {
		if l.set.Changed(name) {
			return usagef("--%s belongs to workers, and --%s starts runs by the clock: leave one out", name, by)
		}
	}
	p := &l.plan
	if !l.set.Changed("runs") {
		p.Runs = 0
	}
	length, err := l.length(by)
	if err != nil {
		return err
	}
	if p.Arrival, err = load.ParseArrival(l.arrival); err != nil {
		return err
	}
	switch by {
	case "rate":
		rate, err := load.ParseRate(l.rate)
		if err != nil {
			return err
		}
		if length == 0 { // as long as so many runs take
			if rate == 0 {
				return usagef("--rate %q: want more than nothing", l.rate)
			}
			length = time.Duration(math.Ceil(float64(p.Runs) / rate * 1e9))
		}
		p.Stages = []load.Stage{{From: rate, To: rate, Length: length}}
	case "ramp":
		p.Stages, err = load.ParseStages(l.ramp + ":" + length.String())
	case "stages":
		p.Stages, err = load.ParseStages(l.stages)
	case "replay":
		p.Replay, err = l.readReplay()
	case "burst":
		if p.Burst, err = load.ParseBurst(l.burst); err == nil {
			if length == 0 {
				length = p.Burst.Every * time.Duration((p.Runs+p.Burst.Size-1)/max(1, p.Burst.Size))
			}
			p.Burst.Length = length
		}
	}
	if by == "ramp" || by == "stages" {
		return l.rename(err)
	}
	return err
}

// readReplay reads recorded arrivals.
func (l *loader) readReplay() ([]time.Duration, error) {
	data, err := l.read(l.replay)
	if err != nil {
		return nil, usagef("--replay: %v", err)
	}
	return load.ReadReplay(bytes.NewReader(data))
}

// length is --duration, which some plans need.
func (l *loader) length(by string) (time.Duration, error) {
	switch {
	case by == "stages" && l.set.Changed("duration"):
		return 0, usagef("--duration: each of --stages has a length of its own")
	case by == "replay" && (l.set.Changed("duration") || l.set.Changed("arrival")):
		return 0, usagef("--replay: the file says when runs arrive; leave --duration and --arrival out")
	case by == "stages" || by == "replay":
		return 0, nil
	case l.duration == "" && (by == "ramp" || !l.set.Changed("runs")):
		return 0, usagef("--%s needs --duration%s", by, map[bool]string{true: "", false: " or --runs"}[by == "ramp"])
	case l.duration == "":
		return 0, nil
	}
	d, err := load.ParseDuration(l.duration)
	if err == nil && d == 0 {
		return 0, usagef("--duration: want more than nothing")
	}
	return d, err
}

// rename makes an error of the plan one of the flag that it came from.
func (l *loader) rename(err error) error {
	var fe *load.FieldError
	if !errors.As(err, &fe) {
		return err
	}
	for _, name := range []string{"ramp", "stages", "burst"} {
		if slices.Contains([]string{"rate", "stages", "duration"}, fe.Field) && l.set.Lookup(name).Value.String() != "" && !(fe.Field == "duration" && l.set.Changed("duration")) {
			return &load.FieldError{Field: name, Msg: fe.Msg}
		}
	}
	return err
}

// readPrices reads --price.
func (l *loader) readPrices() error {
	for _, text := range l.priceList {
		model, costs, _ := strings.Cut(text, "=")
		in, out, ok := strings.Cut(costs, "/")
		input, ierr := strconv.ParseFloat(in, 64)
		output, oerr := strconv.ParseFloat(out, 64)
		if model == "" || !ok || ierr != nil || oerr != nil || !(input >= 0 && output >= 0) || math.IsInf(input+output, 0) {
			return usagef("--price %q: want MODEL=INPUT/OUTPUT, what a million tokens cost, such as gpt-mock=2.5/10", text)
		}
		if l.prices == nil {
			l.prices = load.Prices{}
		}
		l.prices[model] = load.Price{Input: input, Output: output}
	}
	return nil
}

// readGoodput reads --goodput.
func (l *loader) readGoodput() error {
	if l.goodput == "" {
		return nil
	}
	l.good = &load.Goodput{}
	limits := map[string]*time.Duration{"ttft": &l.good.TTFT, "tpot": &l.good.TPOT, "e2e": &l.good.E2E}
	for part := range strings.SplitSeq(l.goodput, ",") {
		name, text, _ := strings.Cut(strings.TrimSpace(part), ":")
		d, err := load.ParseDuration(text)
		if limits[name] == nil || err != nil || d == 0 {
			return usagef("--goodput %q: want limits of ttft, tpot or e2e, such as ttft:100ms,e2e:1s", part)
		}
		*limits[name] = d
	}
	return nil
}
