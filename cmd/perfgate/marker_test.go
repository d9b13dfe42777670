package main

import (
	"context"
	"os"
	"time"

	"github.com/org/perfgate/probe"
)

// held keeps memory alive.
var held [][]byte

// marker is a program that uses memory in steps and marks them: ten times one MiB one after the other, 64 MiB for
// some time, and with the argument leak 8 MiB that stay.
func marker() {
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

// touched is memory that is written to.
func touched(n int) []byte {
	b := make([]byte, n)
	for i := 0; i < n; i += 1 << 10 {
		b[i] = 1
	}
	return b
}
