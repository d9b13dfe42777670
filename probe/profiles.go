package probe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"sync"
	"time"

	"github.com/org/perfgate/internal/spans"
)

// recorder takes profiles of the process between a beginning and an end that files in a folder tell of. They are files
// because a server is ended by a signal, which most programs let kill them: nothing that is called at the end of main
// can be relied on.
type recorder struct {
	// own is what the names of the process's files begin with.
	own, dir string

	mu    sync.Mutex // of what follows
	cpu   *os.File   // while the profile is being taken
	begun bool
	ended bool
}

// underLoad is the process's recorder, nil where the environment asks for none. It begins with the program, since what
// runs before the first span belongs to a run of a process that makes one.
var underLoad = record(os.Getenv(EnvProfiles))

// lookEvery is how often a recorder looks for the files: how late a profile begins.
const lookEvery = 5 * time.Millisecond

// record begins to look for the files in a folder.
func record(dir string) *recorder {
	if dir == "" {
		return nil
	}
	r := &recorder{dir: dir, own: filepath.Join(dir, strconv.Itoa(os.Getpid()))}
	if err := os.WriteFile(r.own+spans.HearsProfiles, nil, 0o600); err != nil {
		fmt.Fprintf(os.Stderr, "probe: %s: %v\n", EnvProfiles, err)
		return nil
	}
	r.look()
	go r.watch()
	return r
}

// watch looks until the end.
func (r *recorder) watch() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for !r.look() {
		<-tick.C
	}
}

// look does what the files ask for, and reports whether that was the last.
func (r *recorder) look() (last bool) {
	if r.asked(spans.EndProfiles) {
		r.end()
		return true
	}
	if r.asked(spans.BeginProfiles) {
		r.begin()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

func (r *recorder) asked(file string) bool {
	_, err := os.Stat(filepath.Join(r.dir, file))
	return err == nil
}

// begin begins the profiles, once.
func (r *recorder) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun {
		return
	}
	r.begun = true
	r.fail(putHeap(r.own + unfinished)) // not in the CPU time
	r.fail(r.startCPU(r.own + spans.CPUProfile + unfinished))
	r.fail(os.Rename(r.own+unfinished, r.own+spans.AllocsBefore)) // which says that it has begun
}

func (r *recorder) startCPU(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil { // the program takes one itself
		return errors.Join(err, f.Close(), os.Remove(name))
	}
	r.cpu = f
	return nil
}

// end ends the profiles, once, where they began.
func (r *recorder) end() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended || !r.begun {
		return
	}
	r.ended = true
	if r.cpu != nil {
		pprof.StopCPUProfile()
		r.fail(errors.Join(r.cpu.Close(), os.Rename(r.cpu.Name(), r.own+spans.CPUProfile)))
	}
	r.fail(errors.Join(putHeap(r.own+unfinished), os.Rename(r.own+unfinished, r.own+spans.AllocsAfter)))
}

// unfinished ends the name of a file that is being written: what has its own name is whole.
const unfinished = ".unfinished"

// fail says what is wrong, where something is: measuring must not end a program.
func (r *recorder) fail(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "probe: %s: %v\n", EnvProfiles, err)
	}
}
