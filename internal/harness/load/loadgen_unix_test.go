//go:build unix

package load

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/org/perfgate/internal/harness/proc"
)

// The benchmarks of the generator, which scripts/loadgen runs: how exactly it offers load, and at what cost. Each
// iteration is a whole run against a server in a process of its own.

// benchServer answers /fast at once, /sleep after 10 ms, and /stall as /sleep, but what would end in the third
// second after the first request waits until that is over. /took says how long its answers took.
func benchServer() http.Handler {
	var mu sync.Mutex
	var first time.Time
	var took []time.Duration
	sleep := func(stall bool) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			began := time.Now()
			mu.Lock()
			if first.IsZero() {
				first = began
			}
			since := first
			mu.Unlock()
			time.Sleep(10 * time.Millisecond)
			if at := time.Since(since); stall && at >= 2*time.Second && at < 3*time.Second {
				time.Sleep(3*time.Second - at)
			}
			mu.Lock()
			took = append(took, time.Since(began))
			mu.Unlock()
			io.WriteString(w, "ok")
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/fast", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	mux.HandleFunc("/sleep", sleep(false))
	mux.HandleFunc("/stall", sleep(true))
	mux.HandleFunc("/took", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(took)
		json.NewEncoder(w).Encode(took)
	})
	return mux
}

// offer runs a plan against the bench server and returns its trace, the server's own times, and the CPU time that
// the generator used.
func offer(b *testing.B, path string, plan Plan, inFlight int) (t *Trace, took []time.Duration, cpu time.Duration) {
	b.Helper()
	addr, clock := freePort(b), realClock(b)
	s := Settings{
		Target: "http://" + addr + path, Args: []string{self(b)}, Wait: 30 * time.Second, Clock: clock, InFlight: inFlight,
		Env: func(*int) []string { return []string{serverEnv + "=bench " + addr} },
	}
	target, err := s.Open(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	defer target.Close()
	var before time.Duration
	t, err = Run(context.Background(), plan, target, Options{Clock: clock, Begun: func() { before = ownCPU() }})
	cpu = ownCPU() - before
	if err != nil {
		b.Log(err)
	}
	resp, err := http.Get("http://" + addr + "/took")
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&took); err != nil {
		b.Fatal(err)
	}
	return t, took, cpu
}

// ownCPU is the CPU time of this process so far.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }

// BenchmarkOpen offers 500/s for 5 s to a server that sleeps 10 ms.
func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		t, took, cpu := offer(b, "/sleep", openPlan(rate(500, 5*time.Second)), 100)
		lags, latencies := t.values((*Record).Lag), t.values((*Record).Latency)
		last := t.Records[len(t.Records)-1].Started
		b.ReportMetric(float64(len(t.Records)-1)/time.Duration(last).Seconds(), "achieved/s")
		b.ReportMetric(ms(nearestRank(lags, 0.5)), "late-p50-ms")
		b.ReportMetric(ms(nearestRank(lags, 0.99)), "late-p99-ms")
		b.ReportMetric(ms(nearestRank(latencies, 0.5)-nearestRank(took, 0.5)), "p50-above-server-ms")
		b.ReportMetric(float64(cpu.Microseconds())/float64(len(t.Records)), "cpu-us/req")
	}
}

// BenchmarkStall offers 500/s for 6 s to a server that stalls for a second. In truth p90 is 417 ms and p99 955 ms.
func BenchmarkStall(b *testing.B) {
	for b.Loop() {
		t, _, _ := offer(b, "/stall", openPlan(rate(500, 6*time.Second)), 1000)
		latencies := t.values((*Record).Latency)
		b.ReportMetric(float64(len(latencies)), "sent")
		for q, unit := range map[float64]string{0.5: "p50-ms", 0.9: "p90-ms", 0.99: "p99-ms"} {
			b.ReportMetric(ms(nearestRank(latencies, q)), unit)
		}
	}
}

// closedRuns is how many requests the closed comparison makes.
const closedRuns = 60_000

// BenchmarkClosedHTTP has 10 connections ask as fast as they can.
func BenchmarkClosedHTTP(b *testing.B) {
	for b.Loop() {
		t, _, cpu := offer(b, "/fast", Plan{Runs: closedRuns, Concurrency: 10, Warmup: 100, Timeout: time.Minute}, 10)
		b.ReportMetric(float64(t.Count(OK))/t.Wall.Seconds(), "req/s")
		b.ReportMetric(float64(cpu.Nanoseconds())/1e3/closedRuns, "cpu-us/req")
	}
}

// heyRate finds the throughput in hey's report.
var heyRate = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)

// BenchmarkClosedHey is BenchmarkClosedHTTP with hey for the generator, where it is installed.
func BenchmarkClosedHey(b *testing.B) {
	hey, err := exec.LookPath("hey")
	if err != nil {
		b.Skip("no hey in PATH: go install github.com/rakyll/hey@v0.1.5")
	}
	for b.Loop() {
		addr := freePort(b)
		s := Server{Args: []string{self(b)}, Env: []string{serverEnv + "=bench " + addr}}
		r, err := s.start(context.Background(), probe{address: addr}, 30*time.Second)
		if err != nil {
			b.Fatal(err)
		}
		e, err := proc.Process{Path: hey, Args: []string{"-n", strconv.Itoa(closedRuns), "-c", "10", "http://" + addr + "/fast"}, Limit: time.Minute}.Run(context.Background())
		if _, stopErr := r.stop(); err != nil || stopErr != nil || e.Failure != "" {
			b.Fatal(err, stopErr, e.Failure)
		}
		m := heyRate.FindSubmatch(e.Stdout)
		if m == nil || !strings.Contains(string(e.Stdout), "[200]") {
			b.Fatalf("hey said:\n%s", e.Stdout)
		}
		perSec, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(perSec, "req/s")
		b.ReportMetric(float64(e.CPU.Nanoseconds())/1e3/closedRuns, "cpu-us/req")
	}
}
