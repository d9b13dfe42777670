package cache

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// files lists the files below a folder with their modes.
func files(t *testing.T, dir string) map[string]fs.FileInfo {
	t.Helper()
	all := map[string]fs.FileInfo{}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		all[name] = info
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// only returns the one file below a folder.
func only(t *testing.T, dir string) string {
	t.Helper()
	var found []string
	for name, info := range files(t, dir) {
		if !info.IsDir() {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		t.Fatalf("files %q below %s, want one", found, dir)
	}
	return found[0]
}

func TestDiskOutlivesTheProcess(t *testing.T) {
	b := benches["disk"](t)
	look(t, open(t, b.config), numbered(1), "x", "x", false)
	look(t, open(t, b.config), numbered(1), "y", "x", true)
}

// What the cache holds is nobody else's to read.
func TestDiskModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has other permissions")
	}
	b := benches["disk"](t)
	look(t, open(t, b.config), numbered(1), "x", "x", false)
	for name, info := range files(t, b.config.Dir) {
		want := fs.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode().Perm(), want)
		}
	}
}

// Whatever is done to the files is a miss that is counted, and mended by the next computation.
func TestDiskDamage(t *testing.T) {
	edit := func(old, new string) func([]byte) []byte {
		return func(data []byte) []byte {
			if !bytes.Contains(data, []byte(old)) {
				panic("no " + old)
			}
			return bytes.Replace(data, []byte(old), []byte(new), 1)
		}
	}
	for name, d := range map[string]struct {
		in     string
		damage func([]byte) []byte
	}{
		"torn value":               {"values", func(data []byte) []byte { return data[:3] }},
		"empty value":              {"values", func([]byte) []byte { return nil }},
		"edited value, same size":  {"values", edit("value", "VALUE")},
		"longer value":             {"values", func(data []byte) []byte { return append(data, '!') }},
		"torn record":              {"keys", func(data []byte) []byte { return data[:len(data)/2] }},
		"record without its end":   {"keys", func(data []byte) []byte { return data[:len(data)-1] }},
		"empty record":             {"keys", func([]byte) []byte { return nil }},
		"record of another key":    {"keys", edit("test:v1", "test:v2")},
		"record of another value":  {"keys", edit(digest([]byte("a value")), digest([]byte("b value")))},
		"record from another time": {"keys", edit("2027-", "2028-")},
		"record with more":         {"keys", func(data []byte) []byte { return append(data, "{}\n"...) }},
	} {
		t.Run(name, func(t *testing.T) {
			b := benches["disk"](t)
			s := open(t, b.config)
			look(t, s, numbered(1), "a value", "a value", false)
			file := only(t, filepath.Join(b.config.Dir, d.in))
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, d.damage(data), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(file, info.ModTime(), info.ModTime()); err != nil { // as if nothing had happened
				t.Fatal(err)
			}
			look(t, s, numbered(1), "a value", "a value", false)
			look(t, s, numbered(1), "other", "a value", true)
			wantStats(t, s, Stats{Backend: "disk", Hits: 1, Misses: 2, Sets: 2, Damaged: 1})
		})
	}
}

// A whole record in the place of another is damage, too: its value is another key's.
func TestDiskMovedRecord(t *testing.T) {
	b := benches["disk"](t)
	s := open(t, b.config)
	look(t, s, numbered(1), "one", "one", false)
	look(t, s, numbered(2), "two", "two", false)
	d := &disk{dir: b.config.Dir}
	if err := os.Rename(d.keyFile(numbered(1).String()), d.keyFile(numbered(2).String())); err != nil {
		t.Fatal(err)
	}
	look(t, s, numbered(2), "two", "two", false)
	if got := s.Stats().Damaged; got != 1 {
		t.Errorf("%d damaged, want 1", got)
	}
}

// A value that somebody removed is a miss and no damage.
func TestDiskRemoved(t *testing.T) {
	b := benches["disk"](t)
	s := open(t, b.config)
	look(t, s, numbered(1), "x", "x", false)
	if err := os.RemoveAll(b.config.Dir); err != nil {
		t.Fatal(err)
	}
	look(t, s, numbered(1), "y", "y", false)
	look(t, s, numbered(1), "z", "y", true)
	wantStats(t, s, Stats{Backend: "disk", Hits: 1, Misses: 2, Sets: 2})
}

// The least recently used values make room, and their files go.
func TestDiskPrune(t *testing.T) {
	b := benches["disk"](t)
	b.config.MaxBytes = 10
	s := open(t, b.config)
	set := func(i int, text string) {
		t.Helper()
		b.advance(time.Hour)
		look(t, s, numbered(i), text, text, false)
	}
	set(1, "1111")
	set(2, "2222")
	b.advance(time.Hour)
	look(t, s, numbered(1), "", "1111", true) // used, so that 2 is the oldest
	set(3, "3333")
	look(t, s, numbered(1), "", "1111", true)
	look(t, s, numbered(3), "", "3333", true)
	if got := s.Stats().Evictions; got != 1 {
		t.Errorf("%d evictions, want 1", got)
	}
	checkFiles(t, b.config.Dir, 2, 2)
	set(4, "4444") // evicts 1 or 3
	set(5, "12345678901")
	look(t, s, numbered(5), "12345678901", "12345678901", false) // fits nowhere, and evicted nobody else
	checkFiles(t, b.config.Dir, 2, 2)
}

// checkFiles counts the records and the values of a cache.
func checkFiles(t *testing.T, dir string, keys, values int) {
	t.Helper()
	got := map[string]int{}
	for name, info := range files(t, dir) {
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		if !info.IsDir() {
			got[strings.Split(filepath.ToSlash(rel), "/")[0]]++
		}
	}
	if got["keys"] != keys || got["values"] != values {
		t.Errorf("%d records and %d values, want %d and %d", got["keys"], got["values"], keys, values)
	}
}

// Equal values are kept once, and stay as long as one key wants them.
func TestDiskSharedValue(t *testing.T) {
	b := benches["disk"](t)
	b.config.MaxBytes = 10
	s := open(t, b.config)
	for i := range 5 {
		look(t, s, numbered(i), "123456", "123456", false)
	}
	checkFiles(t, b.config.Dir, 5, 1)
	if ok, err := s.Delete(t.Context(), numbered(0)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	look(t, s, numbered(1), "", "123456", true)
	if n, err := s.Clear(t.Context(), ""); n != 4 || err != nil {
		t.Errorf("Clear = %d, %v, want 4", n, err)
	}
	checkFiles(t, b.config.Dir, 0, 0)
}

// What is too old goes with the next process that stores something, whoever asks for it.
func TestDiskPruneByAge(t *testing.T) {
	b := benches["disk"](t)
	b.config.TTL = time.Hour
	look(t, open(t, b.config), numbered(1), "x", "x", false)
	b.advance(time.Hour)
	look(t, open(t, b.config), numbered(2), "y", "y", false)
	checkFiles(t, b.config.Dir, 1, 1)
}

// What a process left that died in between goes after an hour: a value without a record, half a file.
func TestDiskSweeps(t *testing.T) {
	b := benches["disk"](t)
	s := open(t, b.config)
	look(t, s, numbered(1), "x", "x", false)
	d := &disk{dir: b.config.Dir, now: b.config.Now}
	orphan := d.valueFile(digest([]byte("orphan")))
	if err := d.write(orphan, []byte("orphan")); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(filepath.Dir(d.keyFile(numbered(1).String())), temporaryPrefix+"1")
	if err := d.write(half, []byte("half")); err != nil {
		t.Fatal(err)
	}
	for _, age := range []time.Duration{0, sweepAfter - time.Second, time.Second} {
		b.advance(age)
		if _, err := s.Clear(t.Context(), "nothing"); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{orphan, half} {
			if _, err := os.Stat(name); (err == nil) != (age != time.Second) {
				t.Errorf("after %v more %s: %v", age, name, err)
			}
		}
	}
	look(t, s, numbered(1), "", "x", true)
}

// Several processes in one folder, which is too small for them: nobody fails and nobody gets a wrong value.
func TestDiskTogether(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 4 {
		s := open(t, Config{Backend: "disk", Dir: dir, MaxBytes: 400})
		wg.Go(func() {
			for i := range 60 {
				want := strings.Repeat(fmt.Sprint(i%12), 50)
				got, _, err := s.GetOrCompute(t.Context(), numbered(i%12), value(want))
				if err != nil || string(got) != want {
					t.Errorf("got %q, %v, want %q", got, err, want)
				}
				if i%25 == 24 {
					s.Clear(t.Context(), numbered(i%12).String())
				}
			}
			if err := s.Failure(); err != nil || s.Stats().Damaged > 0 {
				t.Errorf("%v, %+v", err, s.Stats())
			}
		})
	}
	wg.Wait()
}

// A folder that cannot be written is told, and everything is computed.
func TestDiskUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, Config{Backend: "disk", Dir: filepath.Join(file, "cache")})
	for range 2 {
		if got, hit, err := s.GetOrCompute(context.Background(), numbered(1), value("x")); string(got) != "x" || hit || err != nil {
			t.Errorf("got %q, %v, %v", got, hit, err)
		}
	}
	if s.Failure() == nil {
		t.Error("nothing is said")
	}
}

// FuzzRecord puts any bytes in the place of a record: the value is a stored one or none, and no file that is not
// the cache's is touched.
func FuzzRecord(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "cache")
	d := &disk{dir: dir, now: (&clock{}).now, counts: &counts{}}
	key := numbered(1).String()
	foreign := strings.Repeat("f", 64-len("../"))
	r := record{Key: key, Bytes: 5, Stored: time.Unix(1_800_000_000, 0).UTC()}
	for _, sum := range []string{digest([]byte("value")), digest([]byte("none")), strings.ToUpper(digest([]byte("value"))), "", "../" + foreign} {
		r.SHA256 = sum
		f.Add(r.encode())
		f.Add(r.encode()[1:])
	}
	f.Add([]byte("null\n" + digest([]byte("null")) + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		foreign := filepath.Join(filepath.Dir(dir), foreign)
		for name, text := range map[string]string{d.valueFile(digest([]byte("value"))): "value", foreign: "not ours", d.keyFile(key): string(data)} {
			if err := d.write(name, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if got, ok, err := d.Get(t.Context(), key); err != nil || ok && string(got) != "value" {
			t.Errorf("got %q, %v, %v", got, ok, err)
		}
		if _, err := os.Stat(foreign); err != nil {
			t.Error(err)
		}
	})
}

// Entries of equal values tell that they share them.
func TestSharedContent(t *testing.T) {
	s := open(t, Config{Backend: "disk", Dir: t.TempDir()})
	for i, value := range []string{"same", "same", "other"} {
		s.Set(t.Context(), numbered(i), []byte(value))
	}
	all, err := s.Entries(t.Context(), "")
	if err != nil || len(all) != 3 {
		t.Fatalf("%d entries, %v", len(all), err)
	}
	contents := map[string]int{}
	for _, e := range all {
		contents[e.Content]++
	}
	if len(contents) != 2 || contents[""] != 0 {
		t.Errorf("contents %v, want two", contents)
	}
}
