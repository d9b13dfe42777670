package loopback

import (
	"net"
	"runtime"
	"testing"
)

// An address can be listened on, also while all others of its port are taken.
func TestFree(t *testing.T) {
	seen := map[string]bool{}
	for range 20 {
		addr, err := Free()
		if err != nil {
			t.Fatal(err)
		}
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS == "linux" {
			if seen[host] {
				t.Errorf("%s is given twice", host)
			}
			if other, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
				defer other.Close()
			}
		}
		seen[host] = true
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
}
