package cache

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// disk keeps values in files, for later processes and for several at once. It has no lock: each file appears
// whole, by renaming, and whatever another process removed, tore or edited is a miss.
//
//	keys/AB/SHA-256     of a key: its record, which names the value
//	values/AB/SHA-256   of a value: the value; keys with equal values share it
//
// A record's time of modification is when it was last used.
type disk struct {
	dir      string
	maxBytes int64
	ttl      time.Duration
	now      func() time.Time
	counts   *counts

	mu    sync.Mutex
	bytes int64 // of the values as far as known: others write too
	known bool
}

// record is the content of a file in keys.
type record struct {
	Key    string    `json:"key"`
	SHA256 string    `json:"sha256"`
	Bytes  int64     `json:"bytes"`
	Stored time.Time `json:"stored"`

	used time.Time
	file string
}

func openDisk(c Config, n *counts) (Cache, error) {
	if c.Dir == "" {
		return nil, fieldErrorf("cache-dir", "the backend %q needs a folder", c.Backend)
	}
	return &disk{dir: c.Dir, maxBytes: c.MaxBytes, ttl: c.TTL, now: c.Now, counts: n}, nil
}

func (d *disk) Get(_ context.Context, key string) ([]byte, bool, error) {
	file := d.keyFile(key)
	r, err := readRecord(file)
	if err == nil && r.Key != key {
		err = errDamaged
	}
	if err == nil && d.expired(r) {
		d.counts.expirations.Add(1)
		return nil, false, remove(file)
	}
	var value []byte
	if err == nil {
		value, err = d.readValue(r.SHA256)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case errors.Is(err, errDamaged):
		d.counts.damaged.Add(1)
		return nil, false, remove(file)
	case err != nil:
		return nil, false, err
	}
	d.use(r)
	return value, true, nil
}

// readValue reads a value, and removes what is not what its name says.
func (d *disk) readValue(sum string) ([]byte, error) {
	name := d.valueFile(sum)
	value, err := os.ReadFile(name)
	if err == nil && digest(value) != sum {
		err = errors.Join(errDamaged, remove(name))
	}
	return value, err
}

// touchAfter is how old the time of a file's last use may be. Looking up what was just looked up writes nothing.
const touchAfter = time.Minute

// use notes that a record is of use. In a folder that is not ours to write that is not noted.
func (d *disk) use(r record) {
	if now := d.now(); now.Sub(r.used) >= touchAfter {
		os.Chtimes(r.file, now, now)
	}
}

func (d *disk) Set(_ context.Context, key string, value []byte) error {
	if d.maxBytes > 0 && int64(len(value)) > d.maxBytes {
		d.counts.evictions.Add(1)
		return remove(d.keyFile(key))
	}
	r := record{Key: key, SHA256: digest(value), Bytes: int64(len(value)), Stored: d.now()}
	name := d.valueFile(r.SHA256)
	if info, err := os.Stat(name); err != nil || info.Size() != r.Bytes {
		if err := d.write(name, value); err != nil {
			return err
		}
	} else if err := os.Chtimes(name, r.Stored, r.Stored); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := d.write(d.keyFile(key), r.encode()); err != nil {
		return err
	}
	return d.makeRoom(r.Bytes)
}

func (d *disk) Delete(_ context.Context, key string) (bool, error) {
	file := d.keyFile(key)
	r, err := readRecord(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil && !errors.Is(err, errDamaged) {
		return false, err
	}
	return err == nil && !d.expired(r), remove(file) // the value goes with the next sweep
}

func (d *disk) Entries(_ context.Context, prefix string) ([]Entry, error) {
	records, err := d.records()
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, r := range records {
		if strings.HasPrefix(r.Key, prefix) && !d.expired(r) {
			all = append(all, Entry{Key: r.Key, Bytes: r.Bytes, Stored: r.Stored, Left: left(d.ttl, d.now().Sub(r.Stored)), Content: r.SHA256})
		}
	}
	slices.SortFunc(all, byKey)
	return all, nil
}

func (d *disk) Clear(_ context.Context, prefix string) (int, error) {
	records, err := d.records()
	if err != nil {
		return 0, err
	}
	n := 0
	var removed []record
	for _, r := range records {
		if !strings.HasPrefix(r.Key, prefix) {
			continue
		}
		if err := remove(r.file); err != nil {
			return n, err
		}
		removed = append(removed, r)
		if !d.expired(r) {
			n++
		}
	}
	return n, d.prune(removed)
}

func (d *disk) Close() error { return nil }

func (d *disk) expired(r record) bool { return d.ttl > 0 && d.now().Sub(r.Stored) >= d.ttl }

// makeRoom counts new bytes, and prunes where there are too many, or nobody has looked yet.
func (d *disk) makeRoom(added int64) error {
	if d.maxBytes == 0 && d.ttl == 0 {
		return nil
	}
	d.mu.Lock()
	d.bytes += added
	full := !d.known || d.maxBytes > 0 && d.bytes > d.maxBytes
	d.mu.Unlock()
	if !full {
		return nil
	}
	return d.prune(nil)
}

// prune removes expired records, then the least recently used ones until the values fit, and the values of
// these and of records that were removed before, where no record names them any more.
func (d *disk) prune(removed []record) error {
	records, err := d.records()
	if err != nil {
		return err
	}
	slices.SortFunc(records, func(a, b record) int {
		return cmp.Or(b.used.Compare(a.used), b.Stored.Compare(a.Stored), byKey(Entry{Key: a.Key}, Entry{Key: b.Key}))
	})
	named := map[string]bool{}
	var bytes int64
	full := false
	for _, r := range records { // the most recently used one first
		if !d.expired(r) {
			if named[r.SHA256] {
				continue
			}
			if full = full || d.maxBytes > 0 && bytes+r.Bytes > d.maxBytes; !full {
				named[r.SHA256] = true
				bytes += r.Bytes
				continue
			}
			d.counts.evictions.Add(1)
		}
		if err := remove(r.file); err != nil {
			return err
		}
		removed = append(removed, r)
	}
	d.mu.Lock()
	d.bytes, d.known = bytes, true
	d.mu.Unlock()
	return d.sweep(named, removed)
}

// sweepAfter is when a file that no record names is left over from a process that died. Younger ones may be
// another process's, whose record comes next.
const sweepAfter = time.Hour

// sweep removes values that no record names any more: those of removed records at once.
func (d *disk) sweep(named map[string]bool, removed []record) error {
	for _, r := range removed {
		if !named[r.SHA256] {
			if err := remove(d.valueFile(r.SHA256)); err != nil {
				return err
			}
		}
	}
	return d.walk(".", func(name string, e fs.DirEntry) error {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		temporary := strings.HasPrefix(e.Name(), temporaryPrefix)
		if err != nil || strings.HasPrefix(name, filepath.Join(d.dir, "keys")) && !temporary || named[e.Name()] || d.now().Sub(info.ModTime()) < sweepAfter {
			return err
		}
		return remove(name)
	})
}

// records reads all records. What is none is removed.
func (d *disk) records() ([]record, error) {
	var all []record
	err := d.walk("keys", func(name string, e fs.DirEntry) error {
		if strings.HasPrefix(e.Name(), temporaryPrefix) {
			return nil
		}
		r, err := readRecord(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case errors.Is(err, errDamaged) || err == nil && d.keyFile(r.Key) != name:
			return remove(name)
		case err != nil:
			return err
		}
		all = append(all, r)
		return nil
	})
	return all, err
}

// walk visits the files below a folder of the cache. What vanishes meanwhile was never there.
func (d *disk) walk(below string, visit func(name string, e fs.DirEntry) error) error {
	return filepath.WalkDir(filepath.Join(d.dir, below), func(name string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil || e.IsDir():
			return err
		}
		return visit(name, e)
	})
}

func (d *disk) keyFile(key string) string { return d.fileOf("keys", digest([]byte(key))) }

func (d *disk) valueFile(sum string) string { return d.fileOf("values", sum) }

func (d *disk) fileOf(what, sum string) string { return filepath.Join(d.dir, what, sum[:2], sum) }

const temporaryPrefix = "tmp-"

// write makes a file of a value, whole or not at all. It is not forced to the disk first: what a crash of the
// machine leaves is found out when it is read.
func (d *disk) write(name string, data []byte) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, temporaryPrefix) // 0o600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		now := d.now()
		if err = os.Chtimes(f.Name(), now, now); err == nil {
			err = os.Rename(f.Name(), name)
		}
	}
	if err != nil {
		return errors.Join(err, remove(f.Name()))
	}
	return nil
}

// sums are the names of values: what a record says leads nowhere else.
var sums = regexp.MustCompile(`^[0-9a-f]{64}$`)

var errDamaged = errors.New("not what was stored")

// encode gives the record a line, and its checksum another.
func (r record) encode() []byte {
	line, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings, a number and a time of this age
	}
	return fmt.Appendf(line, "\n%s\n", digest(line))
}

// readRecord reads a file in keys. The error is errDamaged where it is not what encode made.
func readRecord(name string) (r record, err error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return r, err
	}
	line, sum, _ := strings.Cut(string(data), "\n")
	if digest([]byte(line))+"\n" != sum || json.Unmarshal([]byte(line), &r) != nil || !sums.MatchString(r.SHA256) {
		return r, errDamaged
	}
	info, err := os.Stat(name)
	if err == nil {
		r.used, r.file = info.ModTime(), name
	}
	return r, err
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// remove removes a file that may be gone already.
func remove(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
