package probe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/org/perfgate/internal/spans"
)

// The environment by which perfgate asks a program to tell of itself.
const (
	// Env names a file that lines are appended to.
	Env = spans.Env
	// EnvCPU names a file for a CPU profile, which [Flush] ends.
	EnvCPU = "PERFGATE_PROBE_CPU"
	// EnvHeap names a folder for two heap profiles, of which [Flush] writes the second.
	EnvHeap = spans.EnvHeap
	// EnvProfiles names a folder for profiles of CPU time and of allocations while the program is under load. It takes
	// no span to be heard: to import the package is enough.
	EnvProfiles = spans.EnvProfiles
	// EnvGC makes every [Mark] collect garbage first, so that what it finds live is what is live.
	EnvGC = spans.EnvGC
)

// Every is how often a process writes to the file of [Env]: so much of what it did is lost when it is killed.
const Every = 100 * time.Millisecond

// asked says that the environment asks for spans.
var asked = func() bool {
	_, ok := os.LookupEnv(Env)
	if ok {
		profilers.Add(1)
	}
	return ok
}()

// collects says that the environment asks for a collection before each mark.
var collects = os.Getenv(EnvGC) != ""

// ofProcess is the profiler that the environment asks for, nil where it does not or where that cannot be had, which
// is said once: measuring must not end a program.
func ofProcess() *Profiler {
	if !asked {
		return nil
	}
	return opened()
}

var opened = sync.OnceValue(func() *Profiler {
	// Appending is one step for whole lines, in whichever process, and waits for nobody.
	f, err := os.OpenFile(os.Getenv(Env), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	defer profilers.Add(-1) // it counts by itself, or there is none
	if err != nil {
		fmt.Fprintf(os.Stderr, "probe: %s: %v\n", Env, err)
		return nil
	}
	f.WriteString("\n") // says that there will be something to wait for; what fails here fails later
	startCPU()
	p := New(f, Every)
	if os.Getenv(EnvHeap) != "" {
		p.mark("begin")
		writeHeap(spans.HeapBefore)
	}
	return p
})

// cpu is the file of the CPU profile, nil where there is none.
var cpu *os.File

func startCPU() {
	name := os.Getenv(EnvCPU)
	if name == "" {
		return
	}
	f, err := os.Create(name)
	if err == nil {
		err = pprof.StartCPUProfile(f) // fails where the program takes one itself
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "probe: %s: %v\n", EnvCPU, err)
		return
	}
	cpu = f
}

// writeHeap writes a heap profile of what is live, and of all that was allocated.
func writeHeap(name string) {
	err := os.MkdirAll(os.Getenv(EnvHeap), 0o777)
	if err == nil {
		err = putHeap(filepath.Join(os.Getenv(EnvHeap), name))
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "probe: %s: %v\n", EnvHeap, err)
	}
}

func putHeap(name string) error {
	runtime.GC() // the profile is as of the last one
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(pprof.WriteHeapProfile(f), f.Close())
}

var end sync.Once

// Flush writes what the process has to tell perfgate, and the first time the profiles that it asked for. It belongs
// at the end of main, since nothing else is called there:
//
//	defer probe.Flush()
//
// Where the environment asks for nothing it does nothing.
func Flush() error {
	underLoad.end()
	p := ofProcess()
	if p == nil {
		return nil
	}
	var err error
	end.Do(func() {
		if cpu != nil {
			pprof.StopCPUProfile()
			err = cpu.Close()
		}
		if os.Getenv(EnvHeap) != "" {
			p.mark("end")
			writeHeap(spans.HeapAfter)
		}
	})
	if werr := p.Flush(); err == nil {
		err = werr
	}
	return err
}
