package github

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// annotate returns the log of a step that makes these annotations.
func annotate(t *testing.T, as ...Annotation) string {
	t.Helper()
	var stdout bytes.Buffer
	r := New(environment(map[string]string{"GITHUB_ACTIONS": "true"}), &stdout)
	if err := r.Annotate(as); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(stdout.String(), "\r\n", "\n")
}

func TestAnnotate(t *testing.T) {
	tests := []struct {
		name string
		in   Annotation
		want string
	}{
		{"plain", Annotation{Level: "error", Message: "12% slower"}, "::error::12%25 slower"},
		{"whole", Annotation{Level: "warning", Title: "Encode", Message: "slower", File: "a/b.go", Line: 3},
			"::warning file=a/b.go,line=3,title=Encode::slower"},
		{"no line", Annotation{Level: "notice", Message: "m", File: "a.go"}, "::notice file=a.go::m"},
		{"line alone", Annotation{Level: "notice", Message: "m", Line: 7}, "::notice::m"},
		{"lines", Annotation{Level: "error", Message: "a\nb\r\nc"}, "::error::a%0Ab%0Ac"},
		{"hostile message", Annotation{Level: "error", Message: "X/|<script>##[error]::set-output\n::error::x"},
			"::error::X/|<script>## [error]::set-output%0A: :error::x"},
		{"escaped newline", Annotation{Level: "error", Message: "%0A::error::"}, "::error::%250A::error::"},
		{"hostile title", Annotation{Level: "error", Title: "a,file=b::c\nd\u202ee", Message: "m"},
			"::error title=a%2Cfile=b%3A%3Ac%0Ade::m"},
		{"hostile file", Annotation{Level: "error", File: "a:b,c\x1b[31m.go", Message: "m"}, "::error file=a%3Ab%2Cc.go::m"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want+"\n", annotate(t, tt.in)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnnotateHostile(t *testing.T) {
	for _, s := range hostile {
		log := annotate(t, Annotation{Level: "error", Title: s, Message: s, File: s, Line: 1})
		if strings.Count(log, "\n") != 1 || !strings.HasPrefix(log, "::error ") {
			t.Errorf("annotation of %q = %q, want one line and one command", s, log)
		}
	}
}

func TestAnnotateLimit(t *testing.T) {
	var as []Annotation
	for i := range 12 {
		as = append(as, Annotation{Level: "error", Message: fmt.Sprint("e", i)})
		if i < 9 {
			as = append(as, Annotation{Level: "warning", Message: fmt.Sprint("w", i)})
		}
	}
	log := annotate(t, as...)
	if got := strings.Count(log, "::error::"); got != 10 {
		t.Errorf("%d lines of level error, want nine and one:\n%s", got, log)
	}
	if !strings.Contains(log, "::error::3 more; the report has them all\n") {
		t.Errorf("the log does not say that 3 errors are left out:\n%s", log)
	}
	if !strings.Contains(log, "::error::e8\n") || strings.Contains(log, "::error::e9\n") {
		t.Errorf("not the first nine errors:\n%s", log)
	}
	if got := strings.Count(log, "::warning::"); got != 9 {
		t.Errorf("%d lines of level warning, want nine:\n%s", got, log)
	}
}

func TestAnnotateLength(t *testing.T) {
	for _, n := range []int{messageLimit, messageLimit + 1, 3 * messageLimit} {
		message := strings.TrimPrefix(annotate(t, Annotation{Level: "error", Message: strings.Repeat("ä", n)}), "::error::")
		message = strings.TrimSuffix(message, "\n")
		if got := utf8.RuneCountInString(message); got != messageLimit {
			t.Errorf("a message of %d characters comes out with %d, want %d", n, got, messageLimit)
		}
		if cut := strings.HasSuffix(message, "…"); cut != (n > messageLimit) {
			t.Errorf("a message of %d characters says it was cut: %v", n, cut)
		}
	}
}

func TestAnnotateUnknownLevel(t *testing.T) {
	r := New(environment(map[string]string{"GITHUB_ACTIONS": "true"}), &bytes.Buffer{})
	if err := r.Annotate([]Annotation{{Level: "set-output", Message: "m"}}); err == nil {
		t.Error("an annotation of an unknown level is no error")
	}
}

// closed is a stdout that nobody reads any more.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestAnnotateClosedOutput(t *testing.T) {
	r := New(environment(map[string]string{"GITHUB_ACTIONS": "true"}), closed{})
	if err := r.Annotate([]Annotation{{Level: "error", Message: "m"}}); err == nil {
		t.Error("annotations into a closed pipe are no error")
	}
}
