package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sync/errgroup"

	"github.com/org/perfgate/internal/loopback"
	"github.com/org/perfgate/probe"
)

// modelserver is a program of scripts: `modelserver ADDRESS` serves /llm and /ask, which ask the model once, /twice,
// /cached, which asks once for all, /fail and /healthz until it is asked to end; with CACHE=off /cached always asks.
// `modelserver` alone asks the model once and ends, as it does in one of the ways of asks.
func modelserver() {
	if how := asks[strings.Join(os.Args[1:], " ")]; how != nil {
		if err := how(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	defer probe.Flush()
	mux := http.NewServeMux()
	for at, calls := range map[string]int{"/llm": 1, "/ask": 1, "/twice": 2} {
		mux.HandleFunc(at, func(w http.ResponseWriter, r *http.Request) {
			_, span := probe.Span(r.Context(), "handle")
			defer span.End()
			for range calls {
				if err := askModel(r.Context(), r.Header.Get("Traceparent")); err != nil {
					http.Error(w, err.Error(), http.StatusBadGateway)
				}
			}
		})
	}
	var once sync.Once
	mux.HandleFunc("/cached", func(w http.ResponseWriter, r *http.Request) {
		ask := func() { askModel(r.Context(), r.Header.Get("Traceparent")) }
		if os.Getenv("CACHE") == "off" {
			ask()
			return
		}
		once.Do(ask)
	})
	mux.HandleFunc("/fail", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) })
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	server := &http.Server{Addr: os.Args[1], Handler: mux}
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("served")
}

// asks are the ways in which modelserver asks the model where it is no server.
var asks = map[string]func() error{
	"": func() error { return askModel(context.Background(), "") },
	"side by side": func() error {
		var group errgroup.Group
		for range 2 {
			group.Go(func() error { return askModel(context.Background(), "") })
		}
		return group.Wait()
	},
	"one by one": func() error {
		return errors.Join(askModel(context.Background(), ""), askModel(context.Background(), ""))
	},
	"again": func() error {
		err := askModel(context.Background(), "")
		if err != nil {
			err = askModel(context.Background(), "")
		}
		return err
	},
}

// askModel asks the model, with a question that is the run's own, where the environment says that it is.
func askModel(ctx context.Context, trace string) error {
	body := `{"model":"gpt-mock","messages":[{"role":"user","content":"hello from ` + path.Base(os.Getenv("PERFGATE_MOCK_URL")) + `"}]}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("OPENAI_BASE_URL")+"/chat/completions", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv("OPENAI_API_KEY"))
	req.Header.Set("Content-Type", "application/json")
	if trace != "" {
		req.Header.Set("Traceparent", trace)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the model answered %s, %v", resp.Status, err)
	}
	return nil
}

// port sets variables to addresses on loopback that nobody listens on.
func port(ts *testscript.TestScript, names []string) {
	for _, name := range names {
		addr, err := loopback.Free()
		ts.Check(err)
		ts.Setenv(name, addr)
	}
}

// nobodyListens waits until nobody does.
func nobodyListens(t *testing.T, addr string) {
	t.Helper()
	for range 100 {
		if !dials(t.Context(), addr) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("somebody still listens on %s", addr)
}

// dials reports whether an address takes a connection.
func dials(ctx context.Context, addr string) bool {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}
