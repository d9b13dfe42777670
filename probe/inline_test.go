package probe_test

import (
	"os/exec"
	"strings"
	"testing"
)

// What a program calls most is inlined, so that it costs next to nothing where nobody hears of it. Span is at the very
// edge of what the compiler inlines: a word more, and each span is a call with its attributes in memory. A count of
// allocations would not notice.
func TestInlined(t *testing.T) {
	out, err := exec.Command("go", "build", "-gcflags=-m", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"Span", "(*Open).End", "(*Open).EndWith", "(*Open).Set"} {
		if !strings.Contains(string(out), ": can inline "+name+"\n") {
			t.Errorf("%s is not inlined", name)
		}
	}
}
