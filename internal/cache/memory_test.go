package cache

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// One value too many evicts the oldest one.
func TestEvict(t *testing.T) {
	s := open(t, Defaults())
	for i := range 1025 {
		look(t, s, numbered(i), "x", "x", false)
	}
	if got := s.Stats().Evictions; got != 1 {
		t.Errorf("%d evictions, want 1", got)
	}
	look(t, s, numbered(1), "y", "x", true)
	look(t, s, numbered(0), "y", "y", false) // it was evicted, and evicts number 2: 1 is younger
	look(t, s, numbered(1), "y", "x", true)
	look(t, s, numbered(2), "y", "y", false)
}

func TestMaxBytes(t *testing.T) {
	s := open(t, Config{Backend: "memory", MaxEntries: 10, MaxBytes: 10})
	look(t, s, numbered(1), "1234", "1234", false)
	look(t, s, numbered(2), "1234", "1234", false)
	look(t, s, numbered(3), "123", "123", false) // one too many
	look(t, s, numbered(2), "", "1234", true)
	look(t, s, numbered(1), "12", "12", false) // fits
	look(t, s, numbered(3), "", "123", true)
	wantStats(t, s, Stats{Backend: "memory", Hits: 2, Misses: 4, Sets: 4, Evictions: 1})
	look(t, s, numbered(4), "12345678901", "12345678901", false) // fits nowhere
	look(t, s, numbered(4), "12345678901", "12345678901", false)
	look(t, s, numbered(3), "", "123", true)
}

// The machine's clock is the default one. At exactly the TTL a value is gone, not before.
func TestMachineClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Defaults())
		look(t, s, numbered(1), "x", "x", false)
		time.Sleep(time.Hour - time.Nanosecond)
		look(t, s, numbered(1), "y", "x", true)
		time.Sleep(time.Nanosecond)
		look(t, s, numbered(1), "y", "y", false)
	})
}

// naive is the memory backend as one would write it down: a list, the most recently used value last.
type naive struct {
	entries  int
	bytes    int64
	ttl      time.Duration
	list     []naiveEntry
	ev, expd int64
}

type naiveEntry struct {
	key   string
	value []byte
	at    time.Time
}

func (n *naive) take(key string) (e naiveEntry, ok bool) {
	for i, e := range n.list {
		if e.key == key {
			n.list = append(n.list[:i:i], n.list[i+1:]...)
			return e, true
		}
	}
	return e, false
}

func (n *naive) get(key string, now time.Time) ([]byte, bool) {
	e, ok := n.take(key)
	if ok && n.ttl > 0 && now.Sub(e.at) >= n.ttl {
		n.expd++
		return nil, false
	}
	if ok {
		n.list = append(n.list, e)
	}
	return e.value, ok
}

func (n *naive) set(key string, value []byte, now time.Time) {
	n.take(key)
	if n.bytes > 0 && int64(len(value)) > n.bytes {
		n.ev++
		return
	}
	n.list = append(n.list, naiveEntry{key, value, now})
	for len(n.list) > n.entries || n.bytes > 0 && n.size() > n.bytes {
		n.list = n.list[1:]
		n.ev++
	}
}

func (n *naive) size() (sum int64) {
	for _, e := range n.list {
		sum += int64(len(e.value))
	}
	return sum
}

// FuzzLRU compares the memory backend with the naive one. Each byte of the program is a step: what to do, and
// with which of sixteen keys.
func FuzzLRU(f *testing.F) {
	f.Add(uint8(2), uint8(0), uint8(0), []byte("\x00\x41\x02\x43\x84\x05\x46"))
	f.Add(uint8(3), uint8(12), uint8(5), []byte("\x01\x02\x03\x04\x41\x42\xc3\x81\x44\x05\xc6\x42"))
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		program := make([]byte, 200)
		for i := range program {
			program[i] = byte(random.Uint32())
		}
		f.Add(uint8(random.Uint32()), uint8(random.Uint32()), uint8(random.Uint32()), program)
	}
	f.Fuzz(func(t *testing.T, entries, maxBytes, ttl uint8, program []byte) {
		now := &clock{}
		c := Config{Backend: "memory", MaxEntries: 1 + int(entries%8), MaxBytes: int64(maxBytes % 64), TTL: time.Duration(ttl%8) * time.Second, Now: now.now}
		n := &counts{}
		m, err := openMemory(c, n)
		if err != nil {
			t.Fatal(err)
		}
		model := &naive{entries: c.MaxEntries, bytes: c.MaxBytes, ttl: c.TTL}
		for step, op := range program {
			key := fmt.Sprint(op & 15)
			switch op >> 6 {
			case 0:
				value := bytes.Repeat([]byte{byte(step)}, int(op>>2)*step%20)
				m.Set(t.Context(), key, value)
				model.set(key, value, now.now())
			case 1, 2:
				got, ok, _ := m.Get(t.Context(), key)
				want, wantOK := model.get(key, now.now())
				if ok != wantOK || !bytes.Equal(got, want) {
					t.Fatalf("step %d: Get(%s) = %v, %v, want %v, %v", step, key, got, ok, want, wantOK)
				}
			case 3:
				now.advance(time.Second)
			}
			if got := n.evictions.Load(); got != model.ev || n.expirations.Load() != model.expd {
				t.Fatalf("step %d: %d evictions, %d expirations, want %d, %d", step, got, n.expirations.Load(), model.ev, model.expd)
			}
		}
		checkAgree(t, m, model, now.now())
	})
}

// checkAgree compares what is left in the end.
func checkAgree(t *testing.T, m Cache, model *naive, now time.Time) {
	t.Helper()
	got, want := map[string]int64{}, map[string]int64{}
	entries, _ := m.Entries(t.Context(), "")
	for _, e := range entries {
		got[e.Key] = e.Bytes
	}
	for _, e := range model.list {
		if model.ttl == 0 || now.Sub(e.at) < model.ttl {
			want[e.key] = int64(len(e.value))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
}

func BenchmarkMemoryGet(b *testing.B) {
	m, err := openMemory(Config{MaxEntries: 10_000, Now: time.Now}, &counts{})
	if err != nil {
		b.Fatal(err)
	}
	keys := make([]string, 10_000)
	for i := range keys {
		keys[i] = numbered(i).String()
		m.Set(b.Context(), keys[i], []byte("plan"))
	}
	i := 0
	for b.Loop() {
		m.Get(b.Context(), keys[i%len(keys)])
		i += 7919
	}
}
