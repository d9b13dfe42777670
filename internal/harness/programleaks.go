package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"

	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/result"
)

// NoLimit lets a program run for as long as it is needed.
const NoLimit = time.Duration(math.MaxInt64 - 1)

// readyMost is how long a server may take to be ready.
const readyMost = time.Minute

// Leaks starts a server, asks Ready again and again, and stores what slices of so many requests leave behind: memory
// of the process tree and descriptors, as seen from outside. An answer other than 2xx is an error.
func (p Program) Leaks(ctx context.Context, dir string, requests int, b *result.Benchmark) error {
	if proc.Ready(ctx, p.Ready, readyLimit) == nil {
		return fmt.Errorf("%s answers before the program is started, which would be measured in its place: stop what listens there", p.Ready)
	}
	env := proc.Env(p.Environ, p.PassEnv)
	path, err := proc.Find(p.Args[0], dir, env)
	if err != nil {
		return err
	}
	child, err := proc.Process{Path: path, Args: p.Args[1:], Dir: dir, Env: env, Limit: p.Limit}.Start(ctx)
	if err != nil {
		return err
	}
	var exited proc.Exited
	ended := make(chan struct{})
	go func() {
		exited, _ = child.Wait() // ctx's error is below
		close(ended)
	}()
	seen, err := p.ask(ctx, child, ended, requests)
	stop(child, ended)
	<-ended
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("%w%s", err, saying(exited))
	}
	addOutside(b, seen, requests)
	return nil
}

// ask makes the requests of all slices and reads the process behind each.
func (p Program) ask(ctx context.Context, child *proc.Child, ended chan struct{}, requests int) (seen []alive, err error) {
	waiting, cancel := context.WithTimeout(ctx, readyMost)
	defer cancel()
	if _, err := p.await(waiting, time.Now(), nil, ended); err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for range leakWarmup + 1 + leakSlices {
		for range requests {
			if err := p.get(ctx, client); err != nil {
				return nil, err
			}
		}
		a := alive{}
		var ok bool
		if a.outside, ok = proc.ReadMemory(child.Pid()); !ok {
			return nil, errors.New("it ended while it was asked")
		}
		seen = append(seen, a)
	}
	return seen[leakWarmup:], nil
}

func (p Program) get(ctx context.Context, client *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Ready, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s", p.Ready, resp.Status)
	}
	return nil
}
