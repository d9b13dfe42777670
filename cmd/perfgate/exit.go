package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/harness"
)

// The exit codes, which are part of the interface.
const (
	exitOK          = 0   // the gate passed
	exitFail        = 1   // regression, or a benchmark broken or missing on head
	exitUsage       = 2   // wrong command line or configuration: nothing was measured
	exitNoVerdict   = 3   // a build failed, base could not be measured, the baseline is unreadable, nothing came to a verdict
	exitInterrupted = 130 // what was measured is saved
)

// errFail is the gate's verdict that head is worse. It is printed by the report.
var errFail = errors.New("the gate failed")

// errProblems says that the report has printed why there is no verdict.
var errProblems = errors.New("no verdict; the reasons stand in the report above")

// usageError is a wrong command line.
type usageError struct{ msg string }

func (e *usageError) Error() string { return e.msg }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// exitCode maps what a command returned to the process's exit code.
func exitCode(err error) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFail):
		return exitFail
	case errors.As(err, new(*usageError)), errors.As(err, new(*harness.ErrUsage)), errors.As(err, new(*config.Error)):
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitNoVerdict
}

// gateError turns the gate's verdict into what the command returns.
func gateError(g compare.Gate) error {
	switch g {
	case compare.Pass:
		return nil
	case compare.Fail:
		return errFail
	}
	return errProblems
}
