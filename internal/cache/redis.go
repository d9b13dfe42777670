package cache

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// remote keeps values on a Redis server, which others use too: it looks at its own keys alone, a few at a time
// (SCAN), and frees them without making the others wait (UNLINK). KEYS and FLUSHDB stop the server.
type remote struct {
	client *redis.Client
	prefix string
	ttl    time.Duration
}

// scanCount is how many keys the server looks at in a step.
const scanCount = 500

func openRedis(c Config, _ *counts) (Cache, error) {
	if c.RedisURL == "" {
		return nil, fieldErrorf("redis-url", "the backend %q needs one, such as redis://localhost:6379/0", c.Backend)
	}
	o, err := redis.ParseURL(c.RedisURL)
	if err != nil { // what it says may tell parts of a password that is not escaped
		return nil, fieldErrorf("redis-url", "it is no URL of a Redis; want redis://USER:PASSWORD@HOST:PORT/DATABASE or rediss://, with signs like / and @ in the password as %%2F and %%40")
	}
	timeout := cmp.Or(c.Timeout, time.Second)
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = timeout, timeout, timeout, timeout
	o.ContextTimeoutEnabled = true
	o.MaxRetries = -1 // a look-up that fails is computed; Store decides when to stop asking
	o.DialerRetries = 1
	// Neither a server's notices of its maintenance nor its list of clients is our business.
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	o.DisableIdentity = true
	logging.Disable() // it would write to standard error what Store.Failure tells
	return &remote{client: redis.NewClient(o), prefix: cmp.Or(c.Prefix, "perfgate:"), ttl: c.TTL}, nil
}

func (r *remote) Get(ctx context.Context, key string) ([]byte, bool, error) {
	value, err := r.client.Get(ctx, r.prefix+key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	return value, err == nil, err
}

func (r *remote) Set(ctx context.Context, key string, value []byte) error {
	return r.client.Set(ctx, r.prefix+key, value, r.ttl).Err()
}

func (r *remote) Delete(ctx context.Context, key string) (bool, error) {
	n, err := r.client.Unlink(ctx, r.prefix+key).Result()
	return n > 0, err
}

func (r *remote) Entries(ctx context.Context, prefix string) ([]Entry, error) {
	var all []Entry
	err := r.scan(ctx, prefix, func(keys []string) error {
		sizes, lefts := make([]*redis.IntCmd, len(keys)), make([]*redis.DurationCmd, len(keys))
		_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, k := range keys {
				sizes[i], lefts[i] = p.StrLen(ctx, k), p.PTTL(ctx, k)
			}
			return nil
		})
		for i, k := range keys {
			left := lefts[i].Val()
			if left == gone { // since it was scanned
				continue
			}
			all = append(all, Entry{Key: strings.TrimPrefix(k, r.prefix), Bytes: sizes[i].Val(), Left: max(0, left)})
		}
		return err
	})
	slices.SortFunc(all, byKey)
	return slices.CompactFunc(all, func(a, b Entry) bool { return a.Key == b.Key }), err // SCAN may repeat itself
}

// gone is what PTTL says of a key that is not there; of one without an end it says -1.
const gone = time.Duration(-2)

func (r *remote) Clear(ctx context.Context, prefix string) (int, error) {
	n := 0
	err := r.scan(ctx, prefix, func(keys []string) error {
		removed, err := r.client.Unlink(ctx, keys...).Result()
		n += int(removed)
		return err
	})
	return n, err
}

// scan visits the server's keys with the prefix, some at a time.
func (r *remote) scan(ctx context.Context, prefix string, visit func(keys []string) error) error {
	for cursor := uint64(0); ; {
		keys, next, err := r.client.Scan(ctx, cursor, literal(r.prefix+prefix)+"*", scanCount).Result()
		if err != nil {
			return fmt.Errorf("list keys: %w", err)
		}
		if len(keys) > 0 {
			if err := visit(keys); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// literal quotes what Redis would read as a pattern.
func literal(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(s)
}

func (r *remote) Close() error { return r.client.Close() }
