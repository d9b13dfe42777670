package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/pprof/profile"

	"github.com/org/perfgate/internal/spans"
)

// profileFolder is a folder into which the processes of a program write their profiles (docs/probe.md).
type profileFolder struct {
	kind, dir string
	each      bool // run is a process of its own
}

func newProfileFolder(kind string, each bool) (*profileFolder, error) {
	dir, err := os.MkdirTemp("", "perfgate-profiles-")
	if err != nil {
		return nil, err
	}
	f := &profileFolder{kind, dir, each}
	if each { // processes are recorded from their beginning
		err = f.ask(spans.BeginProfiles)
	}
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (f *profileFolder) environ() []string { return []string{spans.EnvProfiles + "=" + f.dir} }

func (f *profileFolder) ask(file string) error {
	return os.WriteFile(filepath.Join(f.dir, file), nil, 0o600)
}

// profileWait is how long a process may take to begin or to end its profiles: it collects garbage for that.
const profileWait = 5 * time.Second

// begin has a server begin. What processes of warming up have left is of no interest.
func (f *profileFolder) begin(ctx context.Context) {
	if f.each {
		for _, name := range f.files("") {
			os.Remove(name) // what stays is counted: a little more, on both sides
		}
		return
	}
	if f.ask(spans.BeginProfiles) == nil { // else there will be no profile, which is said
		f.await(ctx, spans.AllocsBefore)
	}
}

// end has a server write its profiles: it may be killed next.
func (f *profileFolder) end(ctx context.Context) {
	if !f.each && f.ask(spans.EndProfiles) == nil {
		f.await(ctx, spans.AllocsAfter)
	}
}

// await waits until every process that hears has a file of that name.
func (f *profileFolder) await(ctx context.Context, ending string) {
	ctx, cancel := context.WithTimeout(ctx, profileWait)
	defer cancel()
	tick := time.NewTicker(lookProfiles)
	defer tick.Stop()
	for {
		missing := false
		for _, name := range f.files(spans.HearsProfiles) {
			_, err := os.Stat(strings.TrimSuffix(name, spans.HearsProfiles) + ending)
			missing = missing || err != nil
		}
		if !missing {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// lookProfiles is the pause between two looks.
const lookProfiles = 5 * time.Millisecond

// files are those of processes whose names end so.
func (f *profileFolder) files(ending string) (all []string) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil // the program has removed its folder
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ending) && e.Name() != spans.BeginProfiles && e.Name() != spans.EndProfiles && e.Type().IsRegular() {
			all = append(all, filepath.Join(f.dir, e.Name()))
		}
	}
	return all
}

// mostProcesses are those of a program whose profiles are read.
const mostProcesses = 1000

func (f *profileFolder) take() (*profile.Profile, time.Time, error) {
	ending := spans.CPUProfile
	if f.kind == AllocsProfile {
		ending = spans.AllocsAfter
	}
	var all []*profile.Profile
	for _, name := range f.files(ending) {
		if strings.HasSuffix(name, spans.AllocsBefore) {
			continue
		}
		if len(all) == mostProcesses {
			return nil, time.Time{}, noProfile(fmt.Sprintf("more than %d processes wrote one; make fewer runs", mostProcesses))
		}
		p, err := f.read(name, strings.TrimSuffix(name, ending))
		if err != nil {
			return nil, time.Time{}, noProfile(fmt.Sprintf("%s cannot be read: %v", filepath.Base(name), err))
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		return nil, time.Time{}, f.none()
	}
	p, err := profile.Merge(all)
	return p, time.Time{}, err
}

// read reads a process's profile, without what it had allocated before.
func (f *profileFolder) read(name, process string) (*profile.Profile, error) {
	after, err := readProfileFile(name)
	if err != nil || f.kind != AllocsProfile {
		return after, err
	}
	before, err := readProfileFile(process + spans.AllocsBefore)
	if errors.Is(err, os.ErrNotExist) { // it was written without package probe
		return after, nil
	}
	if err != nil {
		return nil, err
	}
	return minus(after, before, 1)
}

// readProfileFile reads a file that a stranger's program may have made. To open a pipe takes as long as one likes.
func readProfileFile(name string) (*profile.Profile, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no file")
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return parseProfile(file)
}

// none says why there is no profile.
func (f *profileFolder) none() error {
	hears := len(f.files(spans.HearsProfiles)) > 0
	switch {
	case hears && f.each:
		return noProfile("it has package probe, and ended without probe.Flush; defer that in main")
	case hears:
		return noProfile(fmt.Sprintf("it has package probe, and wrote none within %v; perhaps it takes a CPU profile itself", profileWait))
	case f.each:
		return noProfile("only programs in Go leave one, that import package probe and defer probe.Flush in main")
	}
	return noProfile("only servers in Go leave one, that import package probe, or serve net/http/pprof where the setting pprof says")
}

func (f *profileFolder) close() error { return os.RemoveAll(f.dir) }
