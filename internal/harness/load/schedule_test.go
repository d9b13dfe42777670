package load

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// rate is a stage of a constant rate.
func rate(perSecond float64, length time.Duration) []Stage {
	return []Stage{{perSecond, perSecond, length}}
}

// openPlan is a plan that nothing is wrong with.
func openPlan(stages []Stage) Plan {
	return Plan{Stages: stages, MaxInFlight: DefaultMaxInFlight, Grace: time.Minute, Seed: 1}
}

func mustSchedule(t *testing.T, p Plan) *Schedule {
	t.Helper()
	s, err := p.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConstantSchedule(t *testing.T) {
	s := mustSchedule(t, openPlan(rate(500, 5*time.Second)))
	if len(s.Due) != 2500 {
		t.Fatalf("%d runs, want 2500", len(s.Due))
	}
	for i, d := range s.Due {
		if want := time.Duration(i) * 2 * time.Millisecond; d != want {
			t.Fatalf("run %d is due at %v, want %v", i, d, want)
		}
	}
	// A rate that no float holds exactly neither loses nor gains a run.
	for _, r := range []float64{3, 7, 0.1, 33.3, 1e5 / 3} {
		length := time.Duration(math.Round(300 / r * 1e9))
		if n := len(mustSchedule(t, openPlan(rate(r, length))).Due); n != 300 {
			t.Errorf("%g/s for %v: %d runs, want 300", r, length, n)
		}
	}
}

// A ramp's runs are due where the area under the rate says: t = (sqrt(b²+2ai)-b)/a.
func TestRamp(t *testing.T) {
	for _, stage := range []Stage{{10, 200, 30 * time.Second}, {200, 10, 30 * time.Second}, {0, 100, 2 * time.Second}, {100, 0, 2 * time.Second}, {100, 100 + 1e-9, time.Second}} {
		s := mustSchedule(t, openPlan([]Stage{stage}))
		if want := (stage.From + stage.To) / 2 * stage.Length.Seconds(); math.Abs(float64(len(s.Due))-want) >= 1 {
			t.Errorf("%v: %d runs, want %g", stage, len(s.Due), want)
		}
		slope := (stage.To - stage.From) / stage.Length.Seconds()
		for i, d := range s.Due {
			at := d.Seconds()
			if area := slope*at*at/2 + stage.From*at; math.Abs(area-float64(i)) > 1e-5 {
				t.Fatalf("%v: run %d is due at %v, where the area is %g", stage, i, d, area)
			}
		}
	}
}

func TestStagesFollowEachOther(t *testing.T) {
	stages, err := ParseStages("10/s:1s, 20/s:0.5,10..30/s:1s")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Stage{{10, 10, time.Second}, {20, 20, time.Second / 2}, {10, 30, time.Second}}, stages); diff != "" {
		t.Fatalf("stages (-want +got):\n%s", diff)
	}
	s := mustSchedule(t, openPlan(stages))
	if len(s.Due) != 40 || s.Length != 2500*time.Millisecond || !slices.IsSorted(s.Due) {
		t.Fatalf("%d runs in %v, sorted %v; want 40 in 2.5s", len(s.Due), s.Length, slices.IsSorted(s.Due))
	}
	for i, want := range map[int]time.Duration{9: 900 * time.Millisecond, 10: time.Second, 11: 1050 * time.Millisecond, 20: 1500 * time.Millisecond} {
		if s.Due[i] != want {
			t.Errorf("run %d is due at %v, want %v", i, s.Due[i], want)
		}
	}
}

// Random arrivals are as many as asked for in the time asked for, and scatter as their distribution says.
func TestArrivals(t *testing.T) {
	for _, tt := range []struct {
		text string
		cv   float64 // of the distances: standard deviation over mean
	}{{"constant", 0}, {"poisson", 1}, {"gamma:1", 1}, {"gamma:0.25", 2}, {"gamma:4", 0.5}} {
		a, err := ParseArrival(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if a.String() != tt.text {
			t.Errorf("String = %q, want %q", a, tt.text)
		}
		p := openPlan(rate(1000, 8*time.Second))
		p.Arrival = a
		s := mustSchedule(t, p)
		if len(s.Due) != 8000 || !slices.IsSorted(s.Due) || s.Due[0] < 0 {
			t.Fatalf("%s: %d runs, the first at %v", tt.text, len(s.Due), s.Due[0])
		}
		if last := s.Due[len(s.Due)-1]; tt.cv > 0 && last != s.Length {
			t.Errorf("%s: the last run is due at %v, want %v", tt.text, last, s.Length)
		}
		var sum, squares float64
		for i := range len(s.Due) - 1 {
			gap := (s.Due[i+1] - s.Due[i]).Seconds() * 1000
			sum, squares = sum+gap, squares+gap*gap
		}
		n := float64(len(s.Due) - 1)
		if cv := math.Sqrt(squares/n-sum/n*sum/n) / (sum / n); math.Abs(cv-tt.cv) > 0.06*max(tt.cv, 0.001) {
			t.Errorf("%s: the coefficient of variation is %.3f, want %g", tt.text, cv, tt.cv)
		}
	}
}

func TestBurst(t *testing.T) {
	b, err := ParseBurst("50@1s")
	if err != nil {
		t.Fatal(err)
	}
	b.Length = 2500 * time.Millisecond
	p := Plan{Burst: b, MaxInFlight: 100}
	s := mustSchedule(t, p)
	if len(s.Due) != 150 || s.Due[49] != 0 || s.Due[50] != time.Second || s.Due[149] != 2*time.Second {
		t.Errorf("%d runs, due at %v, %v … %v", len(s.Due), s.Due[49], s.Due[50], s.Due[149])
	}
}

// The schedule is decided by the plan, and its hash by the schedule. Golden: changing it makes all stored
// traces incomparable.
func TestScheduleHash(t *testing.T) {
	p := openPlan(rate(100, 5*time.Second))
	p.Arrival = Arrival{Name: "poisson"}
	first := mustSchedule(t, p)
	if diff := cmp.Diff(first, mustSchedule(t, p)); diff != "" {
		t.Errorf("the same plan gives another schedule:\n%s", diff)
	}
	const golden = "d6fc9b916df07590"
	if got := first.Hash[:16]; got != golden {
		t.Errorf("hash %s…, want %s…", got, golden)
	}
	seen := map[string]string{first.Hash: "poisson"}
	for name, change := range map[string]func(p *Plan){
		"seed":     func(p *Plan) { p.Seed = 2 },
		"rate":     func(p *Plan) { p.Stages = rate(101, 5*time.Second) },
		"constant": func(p *Plan) { p.Arrival = Arrival{} },
		"warmup":   func(p *Plan) { p.Warmup = 1 },
		"runs":     func(p *Plan) { p.Runs = 400 },
		"closed":   func(p *Plan) { *p = Plan{Runs: 500, Concurrency: 10} },
		"workers":  func(p *Plan) { *p = Plan{Runs: 500, Concurrency: 11} },
		"chunks":   func(p *Plan) { *p = Plan{Runs: 500, Concurrency: 10, Chunks: 2} },
	} {
		other := p
		change(&other)
		h := mustSchedule(t, other).Hash
		if seen[h] != "" {
			t.Errorf("%s has the hash of %s", name, seen[h])
		}
		seen[h] = name
	}
}

func TestChunks(t *testing.T) {
	p := Plan{Runs: 25, Concurrency: 10, Chunks: 3}
	if got, want := mustSchedule(t, p).Blocks, []int{9, 17, 25}; !slices.Equal(got, want) {
		t.Errorf("blocks end at %d, want %d", got, want)
	}
}

// What cannot be meant names the setting.
func TestBadPlans(t *testing.T) {
	open := func(change func(p *Plan)) Plan {
		p := openPlan(rate(10, time.Second))
		change(&p)
		return p
	}
	for _, tt := range []struct {
		field string
		plan  Plan
	}{
		{"runs", Plan{Runs: 0, Concurrency: 1}},
		{"runs", Plan{Runs: -1, Concurrency: 1}},
		{"runs", Plan{Runs: maxRuns + 1, Concurrency: 1}},
		{"concurrency", Plan{Runs: 1, Concurrency: 0}},
		{"chunks", Plan{Runs: 3, Concurrency: 1, Chunks: 4}},
		{"think", Plan{Runs: 3, Concurrency: 1, Think: -1}},
		{"timeout", Plan{Runs: 3, Concurrency: 1, Timeout: -1}},
		{"warmup", Plan{Runs: 3, Concurrency: 1, Warmup: -1}},
		{"rate", open(func(p *Plan) { p.Stages = rate(0, time.Second) })},
		{"rate", open(func(p *Plan) { p.Stages = rate(-1, time.Second) })},
		{"rate", open(func(p *Plan) { p.Stages = rate(math.NaN(), time.Second) })},
		{"rate", open(func(p *Plan) { p.Stages = rate(2e6, time.Second) })},
		{"duration", open(func(p *Plan) { p.Stages = rate(10, 0) })},
		{"duration", open(func(p *Plan) { p.Stages = rate(1e6, time.Hour) })},
		{"runs", open(func(p *Plan) { p.Runs = 11 })},
		{"arrival", open(func(p *Plan) { p.Arrival.Name = "nosuch" })},
		{"arrival", open(func(p *Plan) { p.Arrival = Arrival{Name: "gamma"} })},
		{"max-inflight", open(func(p *Plan) { p.MaxInFlight = 0 })},
		{"burst", open(func(p *Plan) { p.Burst = &Burst{1, 1, 1} })},
		{"burst", Plan{MaxInFlight: 1, Burst: &Burst{0, time.Second, time.Second}}},
		{"duration", Plan{MaxInFlight: 1, Burst: &Burst{1, 1, time.Hour}}},
	} {
		_, err := tt.plan.Schedule()
		if fe := (*FieldError)(nil); !errors.As(err, &fe) || fe.Field != tt.field {
			t.Errorf("%+v: %v, want an error of %s", tt.plan, err, tt.field)
		}
	}
	for _, text := range []string{"", "10/s", "10/x:1s", "10:y", "10..:1s", "x/s:1s", "-1/s:1s", "1/s:-1s"} {
		if s, err := ParseStages(text); err == nil {
			t.Errorf("ParseStages(%q) = %v", text, s)
		}
	}
	for _, text := range []string{"", "nosuch", "gamma", "gamma:", "gamma:0", "gamma:x", "poisson:2"} {
		if a, err := ParseArrival(text); err == nil {
			t.Errorf("ParseArrival(%q) = %v", text, a)
		}
	}
	for _, text := range []string{"", "5", "5@", "x@1s", "@1s"} {
		if b, err := ParseBurst(text); err == nil {
			t.Errorf("ParseBurst(%q) = %v", text, b)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"0.01": 10 * time.Millisecond, "10ms": 10 * time.Millisecond, "0": 0, "2": 2 * time.Second, "1e-9": 1} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "-1s", "NaN", "Inf", "1e30", "x"} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v", text, d)
		}
	}
}

// Whatever a user types is read or refused, and what is read makes a schedule or an error.
func FuzzPlan(f *testing.F) {
	f.Add("10..200/s:30s", "gamma:0.5", "50@1s")
	f.Add("1/h:1,2/m:3s", "poisson", "1@0")
	f.Fuzz(func(t *testing.T, stages, arrival, burst string) {
		s, err := ParseStages(stages)
		a, aerr := ParseArrival(arrival)
		if b, err := ParseBurst(burst); err == nil {
			b.Length = time.Second
			b.check()
		}
		p := openPlan(s)
		p.Arrival = a
		if total := 0.0; err == nil && aerr == nil {
			for _, stage := range s {
				total += stage.runs()
			}
			if total > 10_000 {
				return // slow, not wrong
			}
			if schedule, err := p.Schedule(); err == nil && !slices.IsSorted(schedule.Due) {
				t.Errorf("runs are not due in order: %v", schedule.Due)
			}
		}
	})
}
