package mockllm

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The golden vectors freeze all draws: stored results depend on them.
func TestDrawsFrozen(t *testing.T) {
	var got strings.Builder
	fmt.Fprintf(&got, "splitmix64(0) = %016x\n", splitmix64(0)) // e220a8397b1dcdaf, as published
	for _, d := range []draws{
		newDraws(0), newDraws(1), newDraws(1, "chat", "m", "0"), newDraws(1, "ab", "c"), newDraws(1, "a", "bc"),
		newDraws(1, "chat").with(0, 0), newDraws(1, "chat").with(0, 1), newDraws(1, "chat").with(1, 0),
	} {
		fmt.Fprintf(&got, "%016x ttft %.17g itl %.17g %.17g\n", uint64(d), d.stream("ttft").uniform(0), d.stream("itl").uniform(1), d.stream("itl").uniform(2))
	}
	for _, text := range []string{
		"fixed:value=3ms", "uniform:lower=1ms,upper=2ms", "normal:mean=10ms,std=2ms", "lognormal:p50=120ms,p99=400ms",
		"lognormal:p50=100ms,sigma=0.5,max=150ms", "exponential:mean=50ms", "replay:file=testdata/recorded.txt",
		"gamma:mean=50ms,shape=0.5", "empirical:p0=10ms,p50=80ms,p99=400ms,p100=1s", "mixture:75%=uniform:lower=1ms,upper=2ms|25%=1s",
	} {
		fmt.Fprintf(&got, "%s:", text)
		for i := range 4 {
			fmt.Fprintf(&got, " %v", delay(t, text).delay(newDraws(7).stream("ttft"), i))
		}
		fmt.Fprintln(&got)
	}
	golden(t, "draws", got.String())
}

func TestSplitmix64(t *testing.T) {
	// The first outputs of the published generator with seed 1234567.
	for i, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423} {
		if got := stream(1234567).bits(i); got != want {
			t.Errorf("number %d = %d, want %d", i, got, want)
		}
	}
}

// What does not change the question does not change the draws; what does, does.
func TestFingerprint(t *testing.T) {
	of := func(body string) uint64 {
		t.Helper()
		f, err := fingerprint(parse(t, body), nil)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	base := of(`{"model":"m","a":1,"b":{"c":[1,2]}}`)
	for _, same := range []string{
		`{"b":{"c":[1,2]},"model":"m","a":1}`, ` { "a" : 1, "b":{"c":[1, 2]}, "model":"m" } `,
		`{"model":"m","a":1,"b":{"c":[1,2]},"stream":true,"stream_options":{},"user":"u","metadata":{"x":1},"prompt_cache_key":"k","safety_identifier":"s"}`,
	} {
		if of(same) != base {
			t.Errorf("%s has another fingerprint", same)
		}
	}
	for _, other := range []string{`{"model":"m","a":2,"b":{"c":[1,2]}}`, `{"model":"m","a":1,"b":{"c":[2,1]}}`, `{"model":"m","a":1,"b":{"c":[1,2],"user":"u"}}`} {
		if of(other) == base {
			t.Errorf("%s has the same fingerprint", other)
		}
	}
}

// What is to be ignored makes no other question, and a key of the client's own stands for all of it.
func TestFingerprintIgnores(t *testing.T) {
	script, err := ReadScript("s.yaml", []byte(`ignore: ['\d\d:\d\d', "run-[a-f0-9]+"]`), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Config{Script: *script})
	answer := func(prompt string, headers ...string) any {
		return parse(t, post(s, "/v1/chat/completions", chatOf(prompt), headers...).Body.String())["choices"]
	}
	base := fmt.Sprint(answer("at 12:30 in run-af7"))
	if got := fmt.Sprint(answer("at 08:15 in run-0")); got != base {
		t.Errorf("another time: %s, want %s", got, base)
	}
	if got := fmt.Sprint(answer("by 08:15 in run-0")); got == base {
		t.Errorf("another question is answered alike: %s", got)
	}
	if a, b := fmt.Sprint(answer("one", "X-Perfgate-Key", "k")), fmt.Sprint(answer("two", "X-Perfgate-Key", "k")); a != b || a == fmt.Sprint(answer("one")) {
		t.Errorf("by the same key: %s and %s", a, b)
	}
}

// Quantiles of distributions are where they were asked for.
func TestQuantiles(t *testing.T) {
	for _, tt := range []struct {
		text string
		u    float64
		want time.Duration
	}{
		{"0.01", 0.3, 10 * time.Millisecond},
		{"80ms", 0.3, 80 * time.Millisecond},
		{"fixed:value=80ms", 0.3, 80 * time.Millisecond},
		{"uniform:lower=1s,upper=3s", 0.25, 1500 * time.Millisecond},
		{"normal:mean=100ms,std=10ms", 0.5, 100 * time.Millisecond},
		{"normal:mean=100ms,std=10ms", 0.8413447460685429, 110 * time.Millisecond},
		{"normal:mean=100ms,std=100ms", 0, 0},
		{"normal:mean=100ms,std=0", 0, 100 * time.Millisecond},
		{"lognormal:p50=120ms,p99=400ms", 0.5, 120 * time.Millisecond},
		{"lognormal:p50=120ms,p99=400ms", 0.99, 400 * time.Millisecond},
		{"lognormal:p50=1s,sigma=1", 0.8413447460685429, 2718281828},
		{"lognormal:p50=120ms,p99=400ms,max=200ms", 0.99, 200 * time.Millisecond},
		{"lognormal:p50=120ms,p99=400ms,min=20ms", 0, 20 * time.Millisecond},
		{"exponential:mean=100ms", 1 - 1/math.E, 100 * time.Millisecond},
		{"exponential:mean=1h", 0.999, time.Hour},
		{"gamma:mean=100ms,shape=1", 1 - 1/math.E, 100 * time.Millisecond}, // is exponential
		{"gamma:mean=2s,shape=2", 0.5, 1678346990},                         // as R has it: qgamma(0.5, 2)
		{"gamma:mean=1s,shape=0.01", 0, 0},
		{"gamma:mean=1h,shape=0.01", 0.9999999, time.Hour},
		{"empirical:p50=80ms,p90=200ms,p99=1s", 0.1, 80 * time.Millisecond},
		{"empirical:p50=80ms,p90=200ms,p99=1s", 0.5, 80 * time.Millisecond},
		{"empirical:p50=80ms,p90=200ms,p99=1s", 0.7, 140 * time.Millisecond},
		{"empirical:p90=200ms,p99.5=1s,p50=80ms", 0.9, 200 * time.Millisecond},
		{"empirical:p90=200ms,p99.5=1s,p50=80ms", 0.999, time.Second},
		{"empirical:p50=80ms,p90=200ms,max=100ms", 0.9, 100 * time.Millisecond},
		{"mixture:95%=10ms|5%=2s", 0.9499, 10 * time.Millisecond},
		{"mixture:95%=10ms|5%=2s", 0.95, 2 * time.Second},
		{"mixture:50%=10ms | 50% = uniform:lower=1s,upper=2s", 0.75, 1500 * time.Millisecond},
		{"mixture:50%=uniform:lower=1s,upper=2s|0.5=10ms", 0.25, 1500 * time.Millisecond},
		{"replay:file=testdata/recorded.txt", 0, 10 * time.Millisecond},
		{"replay:file=testdata/recorded.txt", 0.5, 30 * time.Millisecond},
		{"replay:file=testdata/recorded.txt", 0.999, 1500 * time.Millisecond},
	} {
		d := delay(t, tt.text)
		got := time.Duration(d.value)
		if d.quantile != nil {
			got = time.Duration(math.Round(d.quantile(tt.u)))
		}
		if got != tt.want {
			t.Errorf("%s at %v = %v, want %v", tt.text, tt.u, got, tt.want)
		}
		if d.String() != tt.text {
			t.Errorf("String() = %q, want %q", d, tt.text)
		}
	}
}

func TestDistErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  `"" is no delay`,
		"-5ms":                              `"-5ms" is negative`,
		"-1":                                `"-1s" is negative`,
		"NaN":                               `"NaN" is no distribution`,
		"2h":                                `"2h" is more than 1h0m0s`,
		"10 apples":                         `"10 apples" is no delay`,
		"lognorm":                           `"lognorm" is no distribution; did you mean "lognormal"?`,
		"lognorma:p50=1s":                   `"lognorma" is no distribution; did you mean "lognormal"?`,
		"zipf:s=1":                          `"zipf" is no distribution; want a delay such as 80ms, or one of fixed`,
		"lognormal:p50":                     `"p50": want lognormal:p50=V,p99=V`,
		"lognormal:p50=1s,p50=1s":           `"p50=1s": want`,
		"lognormal:p50=1s":                  `lognormal: without p99`,
		"lognormal:p50=1s,p99=500ms":        `p99 at least p50`,
		"lognormal:p50=1s,sigma=x":          `sigma: want a number`,
		"lognormal:p50=1s,p99=2s,p9=1":      `lognormal has no parameter "p9"; did you mean "p99"?`,
		"normal:mean=1s,std=-1s":            `std: "-1s" is negative`,
		"uniform:lower=2s,upper=1s":         `lower must not exceed upper`,
		"exponential:mean=1s,min=2s,max=1s": `min must not exceed max`,
		"gamma:mean=1s":                     `gamma: without shape`,
		"gamma:mean=1s,shape=0":             `shape: want a number from 0.01 to 1e+06`,
		"empirical:p50=1s":                  `want two quantiles or more`,
		"empirical:p50=1s,p90=500ms":        `a higher quantile must not be less`,
		"empirical:p50=1s,p60=1s,p101=2s":   `empirical has no parameter "p101"`,
		"empirical:p50=1s,p50.0=2s":         `empirical has no parameter "p50.0"`,
		"mixture":                           `"mixture" says no parameters; want mixture:95%=V`,
		"gamma":                             `"gamma" says no parameters; want gamma:mean=V,shape=X`,
		"mixture:95%":                       `"95%": want mixture:95%=V|5%=V`,
		"mixture:95%=10ms":                  `the shares add up to 95%: want 100%`,
		"mixture:95%=1s|x=2s":               `mixture: "x": want more than 0%`,
		"mixture:95%=1s|5%=soon":            `mixture: "soon" is no distribution`,
		"mixture:100%=mixture:100%=1s":      `a mixture of mixtures is one`,
		"replay:file=testdata/missing.txt":  `no such file`,
		"replay:file=testdata/damaged.txt":  `testdata/damaged.txt:2: "soon" is no delay`,
		"replay:file=testdata/empty.txt":    `no values`,
	} {
		_, err := ParseDelay(text, testdata)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseDelay(%q) = %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{"0": "at least 1", "1.5": "whole number", "-1": "whole number", "1e9": "whole number"} {
		if _, err := ParseCount(text, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseCount(%q) = %v, want %s", text, err, want)
		}
	}
}

// testdata are files without a disk.
func testdata(name string) ([]byte, error) {
	files := map[string]string{"testdata/damaged.txt": "# recorded\nsoon\n", "testdata/empty.txt": "# nothing\n\n"}
	if text, ok := files[name]; ok {
		return []byte(text), nil
	}
	return nil, fmt.Errorf("open %s: no such file", name)
}

// The delay of a call does not depend on what came before it, nor on when it comes.
func TestOrderOfArrival(t *testing.T) {
	prompts := []string{"a", "b", "c", "d", "a", "e"}
	delays := func(order []int) map[string][]time.Duration {
		got := map[string][]time.Duration{}
		synctest.Test(t, func(t *testing.T) {
			s := start(t, Config{Seed: 5, Script: Script{Model: Model{TTFT: delay(t, "lognormal:p50=120ms,p99=400ms"), ITL: delay(t, "exponential:mean=2ms")}}})
			for _, i := range order {
				begin := time.Now()
				post(s, "/v1/chat/completions", chatOf(prompts[i]))
				got[prompts[i]] = append(got[prompts[i]], time.Since(begin))
			}
		})
		return got
	}
	want := delays([]int{0, 1, 2, 3, 4, 5})
	if want["a"][0] == want["a"][1] || want["b"][0] == want["c"][0] {
		t.Errorf("delays do not vary: %v", want)
	}
	if got := delays([]int{5, 4, 3, 2, 1, 0}); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("delays in another order = %v, want %v", got, want)
	}
}
