//go:build unix

package load

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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

// BenchmarkSaturated has 10 connections ask as fast as they can: perfgate's, and those of other generators as far as they are
// in PATH.
func BenchmarkSaturated(b *testing.B) {
	b.Run("perfgate", func(b *testing.B) {
		for b.Loop() {
			t, _, cpu := offer(b, "/fast", Plan{Runs: closedRuns, Concurrency: 10, Warmup: 100, Timeout: time.Minute}, 10)
			reportClosed(b, t.Count(OK), float64(t.Count(OK))/t.Wall.Seconds(), cpu)
		}
	})
	for _, g := range generators {
		b.Run(g.name, func(b *testing.B) {
			path, err := exec.LookPath(g.name)
			if err != nil {
				b.Skipf("no %s in PATH: go install %s", g.name, g.module)
			}
			for b.Loop() {
				offerBy(b, g, path)
			}
		})
	}
}

func reportClosed(b *testing.B, requests int, perSec float64, cpu time.Duration) {
	b.ReportMetric(perSec, "req/s")
	b.ReportMetric(float64(cpu.Nanoseconds())/1e3/float64(requests), "cpu-us/req")
}

// generator is another load generator.
type generator struct {
	name, module string
	// args make it ask url closedRuns times by 10 connections, or for as long as that takes about; it may leave files in dir.
	args func(b *testing.B, url, dir string) []string
	// read finds in what it said how many requests were answered well, and how many a second.
	read func(b *testing.B, path, dir string, stdout []byte) (requests int, perSec float64)
}

var generators = []generator{
	{"hey", "github.com/rakyll/hey@v0.1.5", func(_ *testing.B, url, _ string) []string {
		return []string{"-n", strconv.Itoa(closedRuns), "-c", "10", url}
	}, func(b *testing.B, _, _ string, stdout []byte) (int, float64) {
		ok := regexp.MustCompile(`\[200\]\s+(\d+) responses`).FindSubmatch(stdout)
		rate := regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`).FindSubmatch(stdout)
		if ok == nil || rate == nil {
			b.Fatalf("hey said:\n%s", stdout)
		}
		requests, err := strconv.Atoi(string(ok[1]))
		perSec, rerr := strconv.ParseFloat(string(rate[1]), 64)
		if err != nil || rerr != nil {
			b.Fatal(err, rerr)
		}
		return requests, perSec
	}},
	{"vegeta", "github.com/tsenart/vegeta/v12@v12.13.0", func(b *testing.B, url, dir string) []string {
		targets := filepath.Join(dir, "targets")
		if err := os.WriteFile(targets, []byte("GET "+url+"\n"), 0o666); err != nil {
			b.Fatal(err)
		}
		return []string{"attack", "-targets", targets, "-output", filepath.Join(dir, "results"), "-rate", "0", "-workers", "10", "-max-workers", "10", "-connections", "10", "-duration", "2s"}
	}, func(b *testing.B, path, dir string, _ []byte) (int, float64) {
		out, err := exec.Command(path, "report", "-type", "json", filepath.Join(dir, "results")).Output()
		var said struct {
			Rate  float64        `json:"rate"`
			Codes map[string]int `json:"status_codes"`
		}
		if err == nil {
			err = json.Unmarshal(out, &said)
		}
		if err != nil || said.Codes["200"] == 0 {
			b.Fatalf("vegeta: %v: %s", err, out)
		}
		return said.Codes["200"], said.Rate
	}},
	{"fortio", "fortio.org/fortio@v1.68.0", func(_ *testing.B, url, _ string) []string {
		return []string{"load", "-quiet", "-qps", "0", "-c", "10", "-n", strconv.Itoa(closedRuns), "-json", "-", url}
	}, func(b *testing.B, _, _ string, stdout []byte) (int, float64) {
		var said struct {
			ActualQPS float64
			RetCodes  map[string]int
		}
		begin := bytes.IndexByte(stdout, '{')
		if begin < 0 || json.NewDecoder(bytes.NewReader(stdout[begin:])).Decode(&said) != nil || said.RetCodes["200"] == 0 {
			b.Fatalf("fortio said:\n%s", stdout)
		}
		return said.RetCodes["200"], said.ActualQPS
	}},
}

// offerBy has another generator ask the bench server.
func offerBy(b *testing.B, g generator, path string) {
	addr, dir := freePort(b), b.TempDir()
	s := Server{Args: []string{self(b)}, Env: []string{serverEnv + "=bench " + addr}}
	r, err := s.start(context.Background(), probe{address: addr}, 30*time.Second)
	if err != nil {
		b.Fatal(err)
	}
	p := proc.Process{Path: path, Args: g.args(b, "http://"+addr+"/fast", dir), Env: []string{"HOME=" + dir}, Limit: time.Minute}
	e, err := p.Run(context.Background())
	if _, stopErr := r.stop(); err != nil || stopErr != nil || e.Failure != "" {
		b.Fatalf("%s: %v, %v, %s: %s", g.name, err, stopErr, e.Failure, e.Stderr)
	}
	requests, perSec := g.read(b, path, dir, e.Stdout)
	reportClosed(b, requests, perSec, e.CPU)
}
