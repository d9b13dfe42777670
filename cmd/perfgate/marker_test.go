package main

import (
	"context"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/org/perfgate/probe"
)

// held keeps memory alive.
var held [][]byte

// marker is a program that uses memory in steps and marks them: ten times one MiB one after the other, 64 MiB for
// some time, and with the argument leak 8 MiB that stay. With serve it is a server that keeps so many bytes a request.
func marker() {
	if len(os.Args) == 4 && os.Args[1] == "serve" {
		serve(os.Args[2], os.Args[3])
		return
	}
	defer probe.Flush()
	ctx := context.Background()
	probe.Mark(ctx, "start")
	if len(os.Args) > 1 && os.Args[1] == "leak" {
		held = append(held, touched(8<<20))
		probe.Mark(ctx, "end")
		_ = held[0][0]
		return
	}
	for range 10 {
		touched(1 << 20)
	}
	probe.Mark(ctx, "churn")
	held = append(held, touched(64<<20))
	time.Sleep(2 * probe.Every) // it is seen
	held = nil
	probe.Mark(ctx, "sample")
	probe.Mark(ctx, "end")
}

// serve answers requests and keeps bytes of each.
func serve(address, keep string) {
	n, err := strconv.Atoi(keep)
	if err != nil {
		panic(err)
	}
	var mu sync.Mutex
	panic(http.ListenAndServe(address, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		held = append(held, touched(n))
	})))
}

// touched is memory that is written to.
func touched(n int) []byte {
	b := make([]byte, n)
	for i := 0; i < n; i += 1 << 10 {
		b[i] = 1
	}
	return b
}
