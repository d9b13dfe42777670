package mockllm

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// serve starts the upstream on a loopback port, and a client with room for so many connections.
func serve(b *testing.B, c Config, connections int) (url string, client *http.Client) {
	b.Helper()
	s, err := New(c)
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(s)
	b.Cleanup(func() {
		server.Close()
		s.Close()
	})
	return server.URL, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}}
}

func exchange(ctx context.Context, client *http.Client, url, body string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err = io.Copy(io.Discard, resp.Body); err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", resp.StatusCode)
	}
	return err
}

// BenchmarkStream is how long clients wait for a stream of 32 tokens, the first after 10 ms and the others
// 2 ms apart: ideally 72 ms. ns/op is that divided by the number of streams.
func BenchmarkStream(b *testing.B) {
	const body = `{"model":"m","stream":true,"messages":[` + ask + `]}`
	for _, streams := range []int{1, 10, 50} {
		b.Run(fmt.Sprintf("streams=%d", streams), func(b *testing.B) {
			url, client := serve(b, Config{Script: Script{Model: Model{TTFT: Fixed(10 * time.Millisecond), ITL: Fixed(2 * time.Millisecond)}}}, streams)
			took := make([]time.Duration, b.N)
			var all sync.WaitGroup
			for first := range streams {
				all.Go(func() {
					for i := first; i < b.N; i += streams {
						begin := time.Now()
						if err := exchange(b.Context(), client, url, body); err != nil {
							b.Error(err)
						}
						took[i] = time.Since(begin)
					}
				})
			}
			all.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[(b.N-1)/2])/1e6, "p50-ms")
			b.ReportMetric(float64(took[(b.N-1)*99/100])/1e6, "p99-ms")
		})
	}
}

// BenchmarkWhole is answers in one piece without delay, over ten connections.
func BenchmarkWhole(b *testing.B) {
	const connections = 10
	url, client := serve(b, Config{}, connections)
	var all sync.WaitGroup
	b.ResetTimer()
	for first := range connections {
		all.Go(func() {
			for i := first; i < b.N; i += connections {
				if err := exchange(b.Context(), client, url, `{"model":"m","messages":[`+ask+`]}`); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

// BenchmarkHandler is what an answer costs past all connections.
func BenchmarkHandler(b *testing.B) {
	for name, body := range map[string]string{
		"whole": `{"model":"m","messages":[` + ask + `]}`, "stream": `{"model":"m","stream":true,"messages":[` + ask + `]}`,
	} {
		b.Run("form="+name, func(b *testing.B) {
			s := start(b, Config{})
			for b.Loop() {
				if w := post(s, "/v1/chat/completions", body); w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
		})
	}
}
