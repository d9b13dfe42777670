package harness

import (
	"context"
	ne "encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/org/perfgate/internal/harness/proc"
)

// perfEvent counts instructions by an event of the kernel, in user mode alone: what the kernel does for a
// program depends on its neighbours.
type perfEvent struct {
	kind   uint32
	config uint64
}

// instructionsRetired is the processor's own count.
var instructionsRetired = perfEvent{unix.PERF_TYPE_HARDWARE, unix.PERF_COUNT_HW_INSTRUCTIONS}

// hardwareInstructions tries the processor's counter out: virtual machines may have none, or one that stands still.
func hardwareInstructions() (instructionCounter, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	f, err := instructionsRetired.open(0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const turns = 100_000
	for i := range turns {
		runtime.KeepAlive(i)
	}
	var buf [24]byte
	if _, err := f.Read(buf[:]); err != nil {
		return nil, fmt.Errorf("read the processor's counter of instructions: %w", err)
	}
	if n := ne.NativeEndian.Uint64(buf[:]); n < turns {
		return nil, fmt.Errorf("the processor's counter of instructions stands still: %d after %d turns of a loop", n, turns)
	}
	return instructionsRetired, nil
}

// open opens the event on this thread and on what it starts.
func (e perfEvent) open(bits uint64) (*os.File, error) {
	attr := unix.PerfEventAttr{
		Type: e.kind, Config: e.config, Bits: bits | unix.PerfBitExcludeKernel | unix.PerfBitExcludeHv,
		Read_format: unix.PERF_FORMAT_TOTAL_TIME_ENABLED | unix.PERF_FORMAT_TOTAL_TIME_RUNNING,
	}
	attr.Size = uint32(unsafe.Sizeof(attr))
	fd, err := unix.PerfEventOpen(&attr, 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return nil, fmt.Errorf("the kernel lends no counter of instructions (perf_event_open: %w; see kernel.perf_event_paranoid)", err)
	case err != nil:
		return nil, fmt.Errorf("there is no counter of instructions (perf_event_open: %w)", err)
	}
	return os.NewFile(uintptr(fd), "perf-event"), nil
}

func (e perfEvent) name() string { return "perf_event" }

// start has the event begin with the program itself, after the fork: all of its threads inherit it. The
// process reads it at the gate, as closely around each slice as can be.
func (e perfEvent) start(ctx context.Context, p proc.Process) (*gated, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	f, err := e.open(unix.PerfBitDisabled | unix.PerfBitInherit | unix.PerfBitEnableOnExec)
	if err != nil {
		return nil, err
	}
	defer f.Close() // the child has it
	p.Files = []*os.File{f}
	p.Env = append(instructionEnv(p.Env), instructionsEnv+"=5")
	return startGated(ctx, p, "")
}
