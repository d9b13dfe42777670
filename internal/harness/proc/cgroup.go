package proc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Group is a control group in which Linux counts the memory of all its processes together, whatever they do to be
// parents of each other: what pages they share counts once, and the files that they read and what the kernel holds for
// them counts as well. See cgroup-v2 in the kernel's documentation.
type Group struct {
	dir string
	// made is the folder of a group that was made for a child, nil where dir is this process's own.
	made *os.File
	// before is the own group's peak so far.
	before int64
}

// peakFile has the most that a group held, from Linux 5.19 on.
const peakFile = "memory.peak"

// OpenGroup makes a group for a child, below this process's own or beside it, or takes its own where that is not
// allowed. The error says why the machine has neither.
func OpenGroup() (*Group, error) { return openGroup("/proc/self") }

func openGroup(self string) (*Group, error) {
	own, err := ownGroup(self)
	if err != nil {
		return nil, err
	}
	var refused error
	for _, parent := range []string{own, filepath.Dir(own)} {
		g, err := makeGroup(parent)
		if err == nil {
			return g, nil
		}
		if refused == nil {
			refused = err
		}
	}
	before, err := readPeak(own)
	if err != nil {
		return nil, fmt.Errorf("%w, and no %s of perfgate's own: %w", refused, peakFile, err)
	}
	return &Group{dir: own, before: before}, nil
}

// ownGroup is the folder of this process's group in the second version's hierarchy.
func ownGroup(self string) (string, error) {
	groups, err := os.ReadFile(filepath.Join(self, "cgroup"))
	if err != nil {
		return "", err
	}
	var name string
	for line := range strings.Lines(string(groups)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			name = rest
		}
	}
	if !strings.HasPrefix(name, "/") || strings.HasPrefix(name, "/..") {
		return "", errors.New("perfgate is in no control group of the second version that can be seen")
	}
	mounts, err := os.ReadFile(filepath.Join(self, "mountinfo"))
	if err != nil {
		return "", err
	}
	for s := bufio.NewScanner(bytes.NewReader(mounts)); s.Scan(); { // see proc(5)
		before, behind, ok := strings.Cut(s.Text(), " - ")
		fields := strings.Fields(before)
		if !ok || len(fields) < 5 || !strings.HasPrefix(behind, "cgroup2 ") {
			continue
		}
		if within, err := filepath.Rel(fields[3], name); err == nil && filepath.IsLocal(within) {
			return filepath.Join(fields[4], within), nil
		}
	}
	return "", errors.New("control groups of the second version are not mounted")
}

// makeGroup makes a group below another that hands the counting of memory on.
func makeGroup(parent string) (*Group, error) {
	handed, err := os.ReadFile(filepath.Join(parent, "cgroup.subtree_control"))
	if err != nil {
		return nil, err
	}
	if !slices.Contains(strings.Fields(string(handed)), "memory") {
		return nil, fmt.Errorf("the control group %s does not count the memory of groups below it", parent)
	}
	g, err := newGroup(parent)
	if err != nil {
		return nil, err
	}
	if _, err := readPeak(g.dir); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

func newGroup(parent string) (*Group, error) {
	dir, err := os.MkdirTemp(parent, "perfgate-")
	if err != nil {
		return nil, err
	}
	made, err := os.Open(dir)
	if err != nil {
		return nil, errors.Join(err, os.Remove(dir))
	}
	return &Group{dir: dir, made: made}, nil
}

func readPeak(dir string) (int64, error) {
	data, err := os.ReadFile(filepath.Join(dir, peakFile))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
}

// Peak is the most that the group held, in bytes, and whether it is the group of perfgate itself, with whatever else
// is in it. The error says why it is not known.
func (g *Group) Peak() (bytes int64, own bool, err error) {
	peak, err := readPeak(g.dir)
	if err != nil {
		return 0, false, err
	}
	if g.made == nil && peak <= g.before {
		return 0, true, errors.New("no group can be made for the program, and perfgate's own held more before")
	}
	return peak, g.made == nil, nil
}

// emptied is how long the last processes of a group may take to end once they are killed.
const emptied = time.Second

// Close ends what is left in a group that was made, and removes it.
func (g *Group) Close() error {
	if g.made == nil {
		return nil
	}
	g.made.Close()
	if kill, err := os.OpenFile(filepath.Join(g.dir, "cgroup.kill"), os.O_WRONLY, 0); err == nil { // from Linux 5.14 on
		kill.WriteString("1") // where it does not help they keep the group, which is said
		kill.Close()
	}
	began := time.Now()
	for {
		err := os.Remove(g.dir)
		if err == nil || time.Since(began) > emptied {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}
