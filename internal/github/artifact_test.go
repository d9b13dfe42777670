package github

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/github/githubtest"
)

func TestArtifactFile(t *testing.T) {
	good := githubtest.Archive(map[string]string{"perf_reports/latest.json": "{}", "before_after.md": "x"})
	tests := []struct {
		name      string
		artifacts []githubtest.Artifact
		faults    []*githubtest.Fault
		want, err string
	}{
		{name: "found", artifacts: []githubtest.Artifact{{ID: 1, RunID: 42, Name: "other"}, {ID: 2, RunID: 42, Name: "perf_reports", Zip: good}}, want: "{}"},
		{name: "the last attempt's", artifacts: []githubtest.Artifact{{ID: 2, RunID: 42, Name: "perf_reports", Zip: good},
			{ID: 9, RunID: 42, Name: "perf_reports", Zip: githubtest.Archive(map[string]string{"latest.json": "[]"})}}, want: "[]"},
		{name: "another run's", artifacts: []githubtest.Artifact{{ID: 2, RunID: 43, Name: "perf_reports", Zip: good}}, err: `no artifact "perf_reports" among its 0`},
		{name: "expired", artifacts: []githubtest.Artifact{{ID: 2, RunID: 42, Name: "perf_reports", Zip: good, Expired: true}}, err: "has expired"},
		{name: "no zip", artifacts: []githubtest.Artifact{{ID: 2, RunID: 42, Name: "perf_reports", Zip: []byte("x")}}, err: "not a valid zip file"},
		{name: "gone from the store", artifacts: []githubtest.Artifact{{ID: 2, RunID: 42, Name: "perf_reports", Zip: good}}, faults: []*githubtest.Fault{{Path: "/zip$", Status: 410}}, err: "download artifact 2: GitHub answers 410: Gone"},
		{name: "no right to", artifacts: []githubtest.Artifact{{ID: 2, RunID: 42, Name: "perf_reports", Zip: good}}, faults: []*githubtest.Fault{{Path: "/artifacts$", Status: 403}}, err: "list the artifacts of workflow run 42: GitHub answers 403"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := githubtest.New()
			s.Artifacts, s.Faults = tt.artifacts, tt.faults
			got, err := dial(t, s).ArtifactFile(context.Background(), 42, "perf_reports", "latest.json")
			if string(got) != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("ArtifactFile = %q, %v; want %q, %q", got, err, tt.want, tt.err)
			}
			if err != nil && strings.Contains(err.Error(), "signature") {
				t.Errorf("the error holds the download's address: %v", err)
			}
		})
	}
}

// made makes an archive of entries as they are.
func made(t testing.TB, entries func(w *zip.Writer)) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	entries(w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// few bounds what tests unzip.
const few = 100_000

func TestUnzip(t *testing.T) {
	add := func(w *zip.Writer, name string, mode os.FileMode, content io.Reader) {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(mode)
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = io.Copy(f, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	text := func(s string) io.Reader { return strings.NewReader(s) }
	tests := []struct {
		name      string
		entries   func(w *zip.Writer)
		want, err string
	}{
		{"in a folder", func(w *zip.Writer) { add(w, "a/b/latest.json", 0o644, text("{}")) }, "{}", ""},
		{"a path that leads out", func(w *zip.Writer) { add(w, "../../latest.json", 0o644, text("{}")) }, "{}", ""},
		{"a path of another system", func(w *zip.Writer) { add(w, `..\latest.json`, 0o644, text("{}")) }, "{}", ""},
		{"none", func(w *zip.Writer) { add(w, "xlatest.json", 0o644, text("{}")) }, "", "no latest.json in it"},
		{"twice", func(w *zip.Writer) {
			add(w, "a/latest.json", 0o644, text("{}"))
			add(w, "b/latest.json", 0o644, text("[]"))
		}, "", "latest.json is there twice"},
		{"a link", func(w *zip.Writer) { add(w, "latest.json", os.ModeSymlink|0o777, text("/proc/self/environ")) }, "", "no latest.json in it"},
		{"a folder", func(w *zip.Writer) { add(w, "latest.json/", os.ModeDir|0o755, text("")) }, "", "no latest.json in it"},
		{"a bomb", func(w *zip.Writer) { add(w, "latest.json", 0o644, io.LimitReader(zeros{}, few+1)) }, "", "more than 100000 bytes"},
		{"crowded", func(w *zip.Writer) {
			for i := range maxEntries + 1 {
				add(w, fmt.Sprint(i), 0o644, text(""))
			}
		}, "", "1001 files, more than 1000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := unzip(made(t, tt.entries), "latest.json", few)
			if string(got) != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("unzip = %.20q, %v; want %q, %q", got, err, tt.want, tt.err)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Whatever an archive is, it is a file within the bounds or an error.
func FuzzUnzip(f *testing.F) {
	f.Add(githubtest.Archive(map[string]string{"latest.json": "{}"}))
	f.Add(githubtest.Archive(map[string]string{"../latest.json": "{}", "b": "x"}))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := unzip(data, "latest.json", few)
		if err != nil && got != nil || len(got) > few {
			t.Errorf("unzip = %d bytes, %v", len(got), err)
		}
	})
}
