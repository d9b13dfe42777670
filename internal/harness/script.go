package harness

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/org/perfgate/internal/harness/proc"
)

// mostSaidBytes of a script's output are looked at for its last line.
const mostSaidBytes = 64 << 10

// runScript runs a shell script of the user's in a folder, with such an environment. An error has the last line that it
// wrote, or is ctx's.
//
// Its output goes to a file: a pipe would stay open for as long as what the script leaves running, such as a server,
// and waiting for its end would not even end with ctx.
func runScript(ctx context.Context, dir, text string, env []string) error {
	out, err := os.CreateTemp("", "perfgate-script-")
	if err != nil {
		return err
	}
	defer func() { // which fails where such a server holds it, on Windows
		out.Close()
		os.Remove(out.Name())
	}()
	cmd := exec.CommandContext(ctx, "sh", "-euc", text)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, out, out
	proc.OwnGroup(cmd)
	switch err := cmd.Run(); {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("%w%s", err, lastLine(endOf(out)))
	}
	return nil
}

// endOf reads the last of a file, nothing where that cannot be had.
func endOf(f *os.File) []byte {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil
	}
	end, _ := io.ReadAll(io.NewSectionReader(f, max(0, size-mostSaidBytes), mostSaidBytes)) // what was read is enough
	return end
}
