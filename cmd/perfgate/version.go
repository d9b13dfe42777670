package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/org/perfgate/internal/result"
)

// version is set by the linker in released binaries.
var version string

// tool names this program in the files it writes.
func tool() result.Tool {
	v := version
	if v == "" {
		v = "devel"
		if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
			v = info.Main.Version
		}
	}
	return result.Tool{Name: "perfgate", Version: v}
}

func (a *app) version(_ context.Context, args []string) error {
	f := newFlags("version", "")
	if err := f.parse(a, args, 0); err != nil {
		return ignoreHelp(err)
	}
	fmt.Fprintf(a.stdout, "perfgate %s %s %s/%s\n", tool().Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
