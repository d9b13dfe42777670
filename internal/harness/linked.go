package harness

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"time"

	"github.com/org/perfgate/internal/cache"
)

// The go command keeps what it compiles, and links a test binary anew each time. But where `go test -c -o`
// finds a file whose build ID is what it would link, it links nothing: the ID is a hash of everything that
// goes into the binary, as the go command sees it. So perfgate keeps binaries by what they are for and lays
// them where the next one is to be; whether one is still good is the go command's to say. A key of our own
// over all inputs would cost a `go list -deps -export` and could forget one.

// Kinds of what perfgate keeps between its runs.
const (
	KindBinary = "binary" // a linked test binary
	KindGate   = "gate"   // that the gate works with a toolchain
)

// unvouched is the time of modification of a file that the go command has not looked at. It sets the present one
// on a binary that it finds to be current.
var unvouched = time.Unix(1_000_000_000, 0)

// keeps reports whether binaries of the recipe are kept: not those in a random order of functions, which
// nobody asks for twice, nor a trial's.
func (b *builder) keeps(how recipe) bool {
	return b.cache != nil && how.layout == 0 && b.trial == nil
}

// binaryKey says what a binary is for. Two that differ in anything else take turns under one key.
func (b *builder) binaryKey(how recipe) cache.Key {
	return cache.NewKey(KindBinary, 1, b.trees[Head].root, how.side.String(), how.pkg.Module.Rel, how.pkg.ImportPath, how.flags.version, how.flags.ldflags,
		b.trees[how.side].tool.tags, fmt.Sprint(how.trim, len(how.extra) > 0, how.counts != nil))
}

// link builds a binary to out, of which the go command may find that it was linked before. The hash is that of the
// file, zero where there is none.
func (b *builder) link(ctx context.Context, how recipe, out string, build func() error) (hash [sha256.Size]byte, err error) {
	if !b.keeps(how) {
		if err := build(); err != nil {
			return hash, err
		}
		return hashFile(out)
	}
	key := b.binaryKey(how)
	before, offered := b.cache.Get(ctx, key)
	if offered {
		if err := offer(out, before); err != nil {
			return hash, err
		}
	}
	err = build()
	if offered && (err != nil || !vouched(out)) { // with no test files, go succeeds and leaves what is there
		if err := os.Remove(out); err != nil {
			return hash, err
		}
		err = build()
	}
	if err != nil {
		return hash, err
	}
	if hash, err = hashFile(out); err == nil && (!offered || hash != sha256.Sum256(before)) {
		err = b.keep(ctx, key, out)
	}
	return hash, err
}

// offer lays a binary where the go command will look for one.
func offer(out string, data []byte) error {
	if err := os.WriteFile(out, data, 0o700); err != nil {
		return err
	}
	return os.Chtimes(out, unvouched, unvouched)
}

// vouched reports whether the go command has made the file or found it current.
func vouched(out string) bool {
	info, err := os.Stat(out)
	return err == nil && !info.ModTime().Equal(unvouched)
}

// keep keeps a binary for the next run.
func (b *builder) keep(ctx context.Context, key cache.Key, out string) error {
	data, err := os.ReadFile(out)
	if err == nil {
		b.cache.Set(ctx, key, data)
	}
	return err
}
