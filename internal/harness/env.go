package harness

import (
	"runtime"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"

	"github.com/org/perfgate/internal/result"
)

// Fingerprint describes this machine. What cannot be found out stays empty. Go version and
// flags belong to what is measured and are the caller's to fill in.
func Fingerprint() result.Env {
	e := result.Env{GOOS: runtime.GOOS, GOARCH: runtime.GOARCH, Cores: runtime.NumCPU(), GOMAXPROCS: runtime.GOMAXPROCS(0)}
	if infos, err := cpu.Info(); err == nil && len(infos) > 0 {
		e.CPU = infos[0].ModelName
	}
	if k, err := host.KernelVersion(); err == nil {
		e.Kernel = k
	}
	return e
}
