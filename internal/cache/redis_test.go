package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"
)

// realRedis is the variable with the URL of a server to test with, beside the one in this process. The tests
// leave its other keys alone.
const realRedis = "PERFGATE_TEST_REDIS"

// slow are the commands that make all of a server's other clients wait.
var slow = []string{"KEYS", "FLUSHDB", "FLUSHALL", "DEL"}

// refuseSlow makes a server fail those commands.
func refuseSlow(s *miniredis.Miniredis) {
	s.Server().SetPreHook(func(c *server.Peer, cmd string, _ ...string) bool {
		if slices.Contains(slow, cmd) {
			c.WriteError("ERR " + cmd + " makes everybody wait")
			return true
		}
		return false
	})
}

// serverBench is a part of a real server. Its time passes by making what its keys have left shorter.
func serverBench(t *testing.T, url string) bench {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	ours := &remote{client: redis.NewClient(o), prefix: fmt.Sprintf("perfgate-test-%d-%s:", os.Getpid(), t.Name())}
	t.Cleanup(func() {
		if _, err := ours.Clear(context.Background(), ""); err != nil {
			t.Error(err)
		}
		ours.Close()
	})
	advance := func(d time.Duration) {
		err := ours.scan(t.Context(), "", func(keys []string) error {
			for _, k := range keys {
				left, err := ours.client.PTTL(t.Context(), k).Result()
				if err == nil && left > 0 {
					err = ours.client.PExpire(t.Context(), k, left-d).Err() // what is not in the future removes the key
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return bench{config: Config{Backend: "redis", RedisURL: url, Prefix: ours.prefix}, advance: advance, margin: 20 * time.Second, keeps: true}
}

func TestRedisLeavesOthersAlone(t *testing.T) {
	server := miniredis.RunT(t)
	refuseSlow(server)
	if err := server.Set("somebody", "else"); err != nil {
		t.Fatal(err)
	}
	open := func(prefix string) *Store {
		return open(t, Config{Backend: "redis", RedisURL: "redis://" + server.Addr(), Prefix: prefix})
	}
	ours, theirs := open("a*:"), open("ab:")
	look(t, ours, numbered(1), "ours", "ours", false)
	look(t, theirs, numbered(1), "theirs", "theirs", false)
	if n, err := ours.Clear(t.Context(), ""); n != 1 || err != nil {
		t.Errorf("Clear = %d, %v, want 1", n, err)
	}
	if got := server.Keys(); !slices.Equal(got, []string{"ab:" + numbered(1).String(), "somebody"}) {
		t.Errorf("keys %q are left", got)
	}
}

// A server that stops is a failure that is told, and every value is computed all the same. After some
// failures in a row it is asked no more, also when it is back: a run does not change what it does twice.
func TestRedisStops(t *testing.T) {
	server := miniredis.RunT(t)
	s := open(t, Config{Backend: "redis", RedisURL: "redis://" + server.Addr()})
	look(t, s, numbered(1), "x", "x", false)
	look(t, s, numbered(1), "y", "x", true)
	server.Close()
	for i := range 5 {
		look(t, s, numbered(1), fmt.Sprint(i), fmt.Sprint(i), false)
	}
	got := s.Stats()
	if got.Hits != 1 || got.Misses != 6 || got.Errors != giveUpAfter {
		t.Errorf("got %+v", got)
	}
	if err := s.Failure(); err == nil || !strings.Contains(err.Error(), "the cache redis failed 3 times and was given up, and values were computed instead; first: ") {
		t.Errorf("got %v", err)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	look(t, s, numbered(1), "after", "after", false)
}

// One failure is told, and forgiven.
func TestRedisStumbles(t *testing.T) {
	server := miniredis.RunT(t)
	s := open(t, Config{Backend: "redis", RedisURL: "redis://" + server.Addr()})
	for range 2 * giveUpAfter {
		server.SetError("LOADING the data set")
		s.get(t.Context(), numbered(1))
		server.SetError("")
		s.get(t.Context(), numbered(1))
	}
	look(t, s, numbered(1), "x", "x", false)
	look(t, s, numbered(1), "y", "x", true)
	if err := s.Failure(); err == nil || !strings.Contains(err.Error(), "failed 6 times, and values") || !strings.Contains(err.Error(), "LOADING") {
		t.Errorf("got %v", err)
	}
}

// A server that was never there is no wrong configuration.
func TestRedisOutOfReach(t *testing.T) {
	server := miniredis.RunT(t)
	url := "redis://user:s3cret@" + server.Addr()
	server.Close()
	s := open(t, Config{Backend: "redis", RedisURL: url})
	err := s.Failure() // before any look-up
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
	look(t, s, numbered(1), "x", "x", false)
	if _, err := s.Entries(t.Context(), ""); err == nil {
		t.Error("a list of no server's entries")
	}
	if _, err := s.Clear(t.Context(), ""); err == nil {
		t.Error("no server was cleared")
	}
}

func TestRedisURL(t *testing.T) {
	for _, url := range []string{"", "http://user:s3cret@host", "redis://user:s3cret@host:port", "redis://user:s3cret@ho st", "redis://user:s3cret@host/first", "://s3cret", "redis://user:s3cret/more@host", "redis://user:12/s3cret@host"} {
		_, err := Open(t.Context(), Config{Backend: "redis", RedisURL: url})
		var f *FieldError
		if !errors.As(err, &f) || f.Field != "redis-url" {
			t.Errorf("%q: got %v", url, err)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: the error tells the password: %v", url, err)
		}
	}
}
