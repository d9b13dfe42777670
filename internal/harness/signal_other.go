//go:build !unix

package harness

import "os"

// The gate is not used on these systems.
const (
	suspend = iota
	resume
)

var errBroken = os.ErrClosed

func (g *gated) signal(int) {}
