package suggest

import "testing"

func TestQuestion(t *testing.T) {
	known := []string{"base", "budget", "packages", "working-directory", "effect", "benchmark", "max-bytes-per-run", "max-descriptors-per-run"}
	for name, want := range map[string]string{
		"budgte": `; did you mean "budget"?`, "bas": `; did you mean "base"?`, "package": `; did you mean "packages"?`,
		"working_directory": `; did you mean "working-directory"?`, "xyzzy": "", "": "",
		"bench": `; did you mean "benchmark"?`, "max-byt": `; did you mean "max-bytes-per-run"?`, "basf": `; did you mean "base"?`,
	} {
		if got := Question(name, known); got != want {
			t.Errorf("Question(%q) = %q, want %q", name, got, want)
		}
	}
}
