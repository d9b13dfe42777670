package harness

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/spans"
)

func packed(t *testing.T, p *profile.Profile) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := p.Write(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func put(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The profiles of all processes are one, without what each had allocated before.
func TestProfileFolder(t *testing.T) {
	work := func(kind string, n int64) []byte {
		return packed(t, profileOf(kind, stack{[]string{"main.work"}, n}))
	}
	for _, tt := range []struct {
		kind string
		want int64
	}{{CPUProfile, 12}, {AllocsProfile, 27}} {
		f, err := newProfileFolder(tt.kind, true)
		if err != nil {
			t.Fatal(err)
		}
		defer f.close()
		for pid, n := range map[string]int64{"1": 5, "2": 7} {
			put(t, f.dir, pid+spans.HearsProfiles, nil)
			put(t, f.dir, pid+spans.CPUProfile, work(CPUProfile, n))
			put(t, f.dir, pid+spans.AllocsBefore, work(AllocsProfile, 10))
			put(t, f.dir, pid+spans.AllocsAfter, work(AllocsProfile, 10+n))
		}
		put(t, f.dir, "stranger"+spans.AllocsAfter, work(AllocsProfile, 15)) // without package probe
		if err := os.Mkdir(filepath.Join(f.dir, "folder"+spans.CPUProfile), 0o700); err != nil {
			t.Fatal(err)
		}
		p, until, err := f.take()
		if err != nil || sumOf(p, 0) != float64(tt.want) || !until.IsZero() {
			t.Errorf("%s: %v, %v, want %d samples", tt.kind, p, err, tt.want)
		}
	}
}

// A folder without profiles says what to try, by what is there.
func TestProfileFolderEmpty(t *testing.T) {
	for _, tt := range []struct {
		each, hears bool
		file        string
		want        string
	}{
		{true, true, "", "ended without probe.Flush"},
		{false, true, "", "wrote none within"},
		{true, false, "", "defer probe.Flush in main"},
		{false, false, "", "serve net/http/pprof where the setting pprof says"},
		{true, true, "damaged", "1.cpu.pprof cannot be read"},
	} {
		f, err := newProfileFolder(CPUProfile, tt.each)
		if err != nil {
			t.Fatal(err)
		}
		defer f.close()
		if tt.hears {
			put(t, f.dir, "1"+spans.HearsProfiles, nil)
		}
		if tt.file != "" {
			put(t, f.dir, "1"+spans.CPUProfile, []byte(tt.file))
		}
		if _, _, err := f.take(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// A server is told when to begin and to end, and waited for; processes of warming up are forgotten.
func TestProfileFolderAsks(t *testing.T) {
	served, err := newProfileFolder(CPUProfile, false)
	if err != nil {
		t.Fatal(err)
	}
	defer served.close()
	put(t, served.dir, "1"+spans.HearsProfiles, nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, step := range []struct{ asked, answer string }{{spans.BeginProfiles, spans.AllocsBefore}, {spans.EndProfiles, spans.AllocsAfter}} {
			for {
				if _, err := os.Stat(filepath.Join(served.dir, step.asked)); err == nil {
					break
				}
				time.Sleep(time.Millisecond)
			}
			os.WriteFile(filepath.Join(served.dir, "1"+step.answer), nil, 0o600)
		}
	}()
	served.begin(t.Context())
	if len(served.files(spans.AllocsBefore)) != 1 {
		t.Error("it did not wait for the beginning")
	}
	served.end(t.Context())
	if len(served.files("1"+spans.AllocsAfter)) != 1 {
		t.Error("it did not wait for the end")
	}
	<-done
	each, err := newProfileFolder(CPUProfile, true)
	if err != nil {
		t.Fatal(err)
	}
	defer each.close()
	put(t, each.dir, "1"+spans.CPUProfile, []byte("of warming up"))
	each.begin(t.Context())
	if _, err := os.Stat(filepath.Join(each.dir, spans.BeginProfiles)); err != nil || len(each.files("")) != 0 {
		t.Errorf("%v, and %q are left", err, each.files(""))
	}
}

// A server's profiles come from where net/http/pprof is.
func TestPprofEndpoint(t *testing.T) {
	heaps := 0
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/profile", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("seconds") != "3" {
			http.Error(w, "seconds="+r.FormValue("seconds"), http.StatusBadRequest)
		}
		w.Write(packed(t, profileOf(CPUProfile, stack{[]string{"main.work"}, 7})))
	})
	mux.HandleFunc("/debug/pprof/heap", func(w http.ResponseWriter, r *http.Request) {
		heaps++
		w.Write(packed(t, profileOf(AllocsProfile, stack{[]string{"main.work"}, int64(10 * heaps)})))
	})
	mux.HandleFunc("/limited/profile", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "profile duration exceeds server's WriteTimeout\nmore", http.StatusBadRequest)
	})
	mux.HandleFunc("/text/profile", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "hello") })
	server := httptest.NewServer(mux)
	defer server.Close()
	for _, tt := range []struct {
		path, kind string
		want       float64
		err        string
	}{
		{"/debug/pprof", CPUProfile, 7, ""},
		{"/debug/pprof", AllocsProfile, 10, ""},
		{"/nowhere", AllocsProfile, 0, "404 Not Found: 404 page not found; pprof must be where"},
		{"/limited", CPUProfile, 0, "WriteTimeout; serve net/http/pprof by a server of its own"},
		{"/text", CPUProfile, 0, "it is no profile"},
	} {
		began := time.Now()
		e := &pprofEndpoint{url: server.URL + tt.path, kind: tt.kind, length: 2 * time.Second}
		e.begin(t.Context())
		e.end(t.Context())
		p, until, err := e.take()
		switch {
		case tt.err != "":
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: %v, want %q", tt.path, err, tt.err)
			}
		case err != nil || sumOf(p, 0) != tt.want:
			t.Errorf("%s %s: %v, %v, want %v samples", tt.path, tt.kind, p, err, tt.want)
		case until.IsZero() != (tt.kind == AllocsProfile) || !until.IsZero() && until.Sub(began) < 3*time.Second:
			t.Errorf("%s: until %v", tt.kind, until)
		}
		e.close()
	}
}

// A profile that ends before the runs is of those before, and of a part of those under way.
func TestRunsUntil(t *testing.T) {
	began := time.Unix(1000, 0)
	sec := int64(time.Second)
	trace := &load.Trace{Began: began, Records: []load.Record{
		{Started: 0, Done: sec, Kind: load.OK}, {Started: sec, Done: 3 * sec, Kind: load.OK}, {Started: 5 * sec, Done: 6 * sec, Kind: load.Status}, {Kind: load.NotStarted},
	}}
	for _, tt := range []struct {
		until time.Time
		want  float64
	}{{time.Time{}, 3}, {began.Add(10 * time.Second), 3}, {began.Add(2 * time.Second), 1.5}, {began.Add(-time.Second), 0}} {
		if got := runsUntil(trace, tt.until); got != tt.want {
			t.Errorf("until %v: %v runs, want %v", tt.until, got, tt.want)
		}
	}
}

// A setting of the runtime's stands behind those that the user has.
func TestWithDebug(t *testing.T) {
	env := withDebug([]string{"GODEBUG=a=1", "X=2"}, everyAllocation)
	if got := env[len(env)-1]; got != "GODEBUG=a=1,memprofilerate=1" {
		t.Errorf("%q", got)
	}
}
