package github

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
)

// StopCommands makes the runner read what follows in the log as text, until Resume: no line of a child is obeyed,
// whatever escaping missed. What perfgate itself has to say to the runner goes around it.
//
// The word that ends it is of 128 random bits and new each time. The library knows no such command, and the runner
// reads both of a step's streams, so all that children say must go to the one stream that the Runner has.
func (r *Runner) StopCommands() error {
	if !r.Active() || r.stopped != "" {
		return nil
	}
	var token [16]byte
	rand.Read(token[:]) // never fails
	r.stopped = hex.EncodeToString(token[:])
	if _, err := fmt.Fprintf(r.stdout, "::stop-commands::%s\n", r.stopped); err != nil {
		return fmt.Errorf("stop commands: %w", err)
	}
	return nil
}

// Resume lets the runner obey again.
func (r *Runner) Resume() error {
	if r.stopped == "" {
		return nil
	}
	token := r.stopped
	r.stopped = ""
	if _, err := fmt.Fprintf(r.stdout, "::%s::\n", token); err != nil {
		return fmt.Errorf("resume commands: %w", err)
	}
	return nil
}

// command writes lines that the runner is to obey. A word that was shown is not used again.
func (r *Runner) command(lines []byte) error {
	stopped := r.stopped != ""
	if err := r.Resume(); err != nil {
		return err
	}
	if _, err := r.stdout.Write(lines); err != nil {
		return err
	}
	if stopped {
		return r.StopCommands()
	}
	return nil
}
