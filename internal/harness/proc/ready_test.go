package proc

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestReady(t *testing.T) {
	status := http.StatusNoContent
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	ready := func(at string) error { return Ready(t.Context(), at, 5*time.Second) }
	for _, at := range []string{address, server.URL, server.URL + "/health"} {
		if err := ready(at); err != nil {
			t.Errorf("Ready(%s) = %v", at, err)
		}
	}
	status = http.StatusNotFound
	if err := ready(server.URL); err == nil || err.Error() != "404 Not Found" {
		t.Errorf("Ready = %v, want 404 Not Found", err)
	}
	if err := ready(address); err != nil {
		t.Errorf("it accepts connections: %v", err)
	}
	server.Close()
	for _, at := range []string{address, server.URL, "http://\x00", "nowhere"} {
		if err := ready(at); err == nil {
			t.Errorf("Ready(%q) = nil", at)
		}
	}
}
