// Package loopback finds tests an address for a program that listens where it is told to.
package loopback

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"sync/atomic"
)

// hosts counts the calls of Free.
var hosts atomic.Int32

// Free is an address, HOST:PORT, that nobody listens on, and that nobody else takes before the program does: on Linux,
// where all of 127.0.0.0/8 is the machine itself, its host is of this call alone. Between asking for a free port of
// 127.0.0.1 and listening there, the server of another test may get it.
func Free() (string, error) {
	host := "127.0.0.1"
	if runtime.GOOS == "linux" {
		host = fmt.Sprintf("127.%d.%d.%d", 1+os.Getpid()>>8%254, os.Getpid()%256, 1+hosts.Add(1)%254)
	}
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
