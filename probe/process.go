package probe

import (
	"fmt"
	"os"
	"runtime/pprof"
	"sync"
	"time"
)

// The environment by which perfgate asks a program to tell of itself.
const (
	// Env names a file that lines are appended to.
	Env = "PERFGATE_PROBE"
	// EnvCPU names a file for a CPU profile, which [Flush] ends.
	EnvCPU = "PERFGATE_PROBE_CPU"
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
	startCPU()
	return New(f, Every)
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

var endCPU sync.Once

// Flush writes what the process has to tell perfgate, and ends the CPU profile if it asked for one. It belongs at
// the end of main, since nothing else is called there:
//
//	defer probe.Flush()
//
// Where the environment asks for nothing it does nothing.
func Flush() error {
	p := ofProcess()
	if p == nil {
		return nil
	}
	var err error
	if cpu != nil {
		endCPU.Do(func() {
			pprof.StopCPUProfile()
			err = cpu.Close()
		})
	}
	if werr := p.Flush(); err == nil {
		err = werr
	}
	return err
}
