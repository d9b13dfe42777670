package proc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// Ready asks a program once whether it is ready: at HOST:PORT whether it accepts a connection, at a URL whether it
// answers with 2xx. It is not where there is no answer within limit.
func Ready(ctx context.Context, at string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if !strings.Contains(at, "://") {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", at)
		if err == nil {
			conn.Close()
		}
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode/100 != 2 { // in our words: its own are a stranger's
		return errors.New(strings.TrimSpace(fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode))))
	}
	return nil
}
