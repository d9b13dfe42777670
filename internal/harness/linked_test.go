package harness

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/org/perfgate/internal/cache"
)

// linker is a builder of a run of its own, with a cache that several runs share.
func linker(t *testing.T, dir string, kept *cache.Store) (*builder, recipe) {
	t.Helper()
	b := &builder{trees: [2]*tree{nil, {root: dir, tool: goOffline()}}, scratch: t.TempDir(), cache: kept}
	m := module{Rel: "."}
	return b, recipe{side: Head, pkg: goPackage{ImportPath: "example.com/m", Dir: dir, Module: m}, trim: true, flags: moduleFlags{gate: &gate{}}}
}

// What an earlier run linked is taken where the go command says that it is current, and only there: an edit
// that changes neither size nor time is seen.
func TestLinkedOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n", "m_test.go": "package m\n\nimport \"testing\"\n\nvar N = 1\n\nfunc BenchmarkN(b *testing.B) {\n}\n"})
	file := filepath.Join(dir, "m_test.go")
	replaceSame(t, file, "N = 1", "N = 1")
	kept, err := cache.Open(t.Context(), cache.Config{Backend: "disk", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	build := func() ([]byte, *binary) {
		t.Helper()
		b, how := linker(t, dir, kept)
		bin, err := b.compile(t.Context(), how, "", b.next(Head))
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(bin.path)
		if err != nil && bin.err == nil {
			t.Fatal(err)
		}
		return data, bin
	}
	first, _ := build()
	b, how := linker(t, dir, kept)
	if got, ok := kept.Get(t.Context(), b.binaryKey(how)); !ok || !bytes.Equal(got, first) {
		t.Fatal("the binary was not kept")
	}

	// To the go command a binary with a tail is as good as without: it shows whose it is.
	marked := append(bytes.Clone(first), "kept"...)
	kept.Set(t.Context(), b.binaryKey(how), marked)
	second, bin := build()
	if !bytes.Equal(second, marked) {
		t.Error("the kept binary was not taken")
	}
	if info, err := os.Stat(bin.path); err != nil || info.Mode().Perm()&0o100 == 0 {
		t.Errorf("it cannot be run: %v, %v", info.Mode(), err)
	}
	if got, err := hashFile(bin.path); err != nil || got != bin.hash {
		t.Error("the hash is not that of the file")
	}

	replaceSame(t, file, "N = 1", "N = 2")
	third, _ := build()
	if bytes.Equal(third, marked) || bytes.Equal(third, first) {
		t.Error("an edit was not seen")
	}
	if got, _ := kept.Get(t.Context(), b.binaryKey(how)); !bytes.Equal(got, third) {
		t.Error("the new binary was not kept")
	}

	replaceSame(t, file, "N = 2", "N = ?")
	if _, bin := build(); bin.err == nil || !strings.Contains(bin.err.Error(), "m_test.go:5") {
		t.Errorf("what does not compile gives %v", bin.err)
	}
	if err := os.Rename(file, filepath.Join(dir, "m.go")); err != nil {
		t.Fatal(err)
	}
	replaceSame(t, filepath.Join(dir, "m.go"), "N = ?", "N = 3")
	if _, bin := build(); bin.err == nil || bin.err.Error() != "no test files" {
		t.Errorf("a package without tests gives %v", bin.err)
	}
}

// What nobody asks for twice is not kept, and keys tell apart what would take turns.
func TestBinaryKeys(t *testing.T) {
	kept, err := cache.Open(t.Context(), cache.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	b, how := linker(t, "here", kept)
	if !b.keeps(how) {
		t.Error("nothing is kept")
	}
	random := how
	random.layout = 7
	if b.keeps(random) {
		t.Error("a random order of functions is kept")
	}
	if without, _ := linker(t, "here", nil); without.keeps(how) {
		t.Error("kept without a cache")
	}
	tried := *b
	tried.trial = &Trial{}
	if tried.keeps(how) {
		t.Error("a trial's binary is kept")
	}
	counts, laid, other := how, how, how
	counts.counts, laid.extra, other.pkg.ImportPath = &instrumented{}, map[string]string{"a": "b"}, "example.com/n"
	elsewhere, _ := linker(t, "elsewhere", kept)
	seen := map[cache.Key]bool{b.binaryKey(how): true, elsewhere.binaryKey(how): true}
	for _, how := range []recipe{counts, laid, other} {
		seen[b.binaryKey(how)] = true
	}
	if len(seen) != 5 {
		t.Errorf("%d keys for 5 purposes", len(seen))
	}
}

// replaceSame edits a file so that neither its size nor its time tells.
func replaceSame(t *testing.T, name, old, new string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	when := time.Unix(1_700_000_000, 0)
	if len(old) != len(new) || !bytes.Contains(data, []byte(old)) {
		t.Fatalf("%q is not %q in %s", old, new, data)
	}
	write(t, filepath.Dir(name), map[string]string{filepath.Base(name): strings.Replace(string(data), old, new, 1)})
	if err := os.Chtimes(name, when, when); err != nil {
		t.Fatal(err)
	}
}

// A gate that was tried out is not tried again, with the same toolchain and the same gate.
func TestGateOnce(t *testing.T) {
	kept, err := cache.Open(t.Context(), cache.Config{Backend: "memory", MaxEntries: 10})
	if err != nil {
		t.Fatal(err)
	}
	patched := filepath.Join(t.TempDir(), "benchmark.go")
	b := &builder{scratch: t.TempDir(), cache: kept}
	made := &gate{replace: map[string]string{"/go/src/testing/benchmark.go": patched}}
	try := func(version, source string) error {
		write(t, filepath.Dir(patched), map[string]string{"benchmark.go": source})
		// Without the overlay's files the try fails: that it succeeds is the cache's doing.
		return b.tryGateOnce(t.Context(), goTool{env: []string{"PATH="}}, made, version)
	}
	if try("go1.99", "package testing") == nil {
		t.Fatal("a gate works without a go command")
	}
	if got := kept.Stats(); got.Sets != 0 {
		t.Fatalf("a gate that does not work is kept: %+v", got)
	}
	kept.Set(t.Context(), cache.NewKey(KindGate, 1, "go1.99", string(probeSource), "/go/src/testing/benchmark.go", "package testing"), nil)
	if err := try("go1.99", "package testing"); err != nil {
		t.Error(err)
	}
	if try("go1.98", "package testing") == nil || try("go1.99", "package testing2") == nil {
		t.Error("another toolchain's, or another gate, was not tried")
	}
}

// A cache that fails is a warning of the run, once.
func TestCacheFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, filepath.Dir(file), map[string]string{"file": ""})
	kept, err := cache.Open(t.Context(), cache.Config{Backend: "disk", Dir: file})
	if err != nil {
		t.Fatal(err)
	}
	kept.Set(t.Context(), cache.NewKey(KindGate, 1), nil)
	r := &goRunner{suite: &GoBench{Cache: kept}}
	for range 2 {
		if got := r.Warnings(); len(got) != 1 || !strings.HasPrefix(got[0], "the cache disk failed ") {
			t.Errorf("got %q", got)
		}
	}
	if got := (&goRunner{suite: &GoBench{}}).Warnings(); got != nil {
		t.Errorf("without a cache: %q", got)
	}
}
