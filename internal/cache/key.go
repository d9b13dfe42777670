package cache

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Key names a value by everything that it depends on.
type Key struct {
	kind, text string
}

// kinds are the names that a Key's kind may have: they stand in file names and in patterns of Redis.
var kinds = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// NewKey makes the key of a value of a kind, such as "plan", from all that the value depends on. Version
// changes when the same parts would come to another value, because the code that makes it has changed.
// Parts are hashed with their lengths: "ab", "c" and "a", "bc" are two keys. None of them can be read
// from the key.
func NewKey(kind string, version int, parts ...string) Key {
	if !kinds.MatchString(kind) || version < 1 {
		panic(fmt.Sprintf("cache: no key is called %s, version %d", kind, version))
	}
	h := sha256.New()
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		io.WriteString(h, p)
	}
	return Key{kind, fmt.Sprintf("%s:v%d:%s", kind, version, hex.EncodeToString(h.Sum(nil)))}
}

// Kind is the first part of the key's text.
func (k Key) Kind() string { return k.kind }

// String is the key as backends know it: kind:vN:digest.
func (k Key) String() string { return k.text }

// KindOf is the kind of a key's text.
func KindOf(key string) string {
	kind, _, _ := strings.Cut(key, ":")
	return kind
}
