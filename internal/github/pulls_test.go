package github

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/org/perfgate/internal/github/githubtest"
)

func TestPullOf(t *testing.T) {
	other := strings.Repeat("d", 40)
	pull := func(n int, owner, branch, sha, state string) *githubtest.Pull {
		return &githubtest.Pull{Number: n, HeadOwner: owner, Head: branch, HeadSHA: sha, State: state, Base: "main"}
	}
	tests := []struct {
		name  string
		run   Run
		pulls []*githubtest.Pull
		want  int
		err   string
	}{
		{"of a fork", Run{HeadOwner: "stranger", HeadBranch: "faster", HeadSHA: headSHA}, []*githubtest.Pull{pull(6, "owner", "faster", headSHA, "open"), pull(7, "stranger", "faster", headSHA, "open")}, 7, ""},
		{"moved on", Run{HeadOwner: "stranger", HeadBranch: "faster", HeadSHA: other}, []*githubtest.Pull{pull(7, "stranger", "faster", headSHA, "open")}, 0, "no open pull request is at dddddddddddd of stranger:faster"},
		{"closed", Run{HeadOwner: "stranger", HeadBranch: "faster", HeadSHA: headSHA}, []*githubtest.Pull{pull(7, "stranger", "faster", headSHA, "closed")}, 0, "no open pull request"},
		{"two targets", Run{HeadOwner: "stranger", HeadBranch: "faster", HeadSHA: headSHA}, []*githubtest.Pull{pull(7, "stranger", "faster", headSHA, "open"), pull(8, "stranger", "faster", headSHA, "open")}, 0, "pull requests 7 and 8 are both"},
		{"another's branch", Run{HeadOwner: "stranger", HeadBranch: "faster", HeadSHA: headSHA}, []*githubtest.Pull{pull(6, "owner", "faster", headSHA, "open"), pull(8, "stranger", "other", headSHA, "open")}, 0, "no open pull request is at"},
		{"fork gone", Run{ID: 3, HeadBranch: "faster", HeadSHA: headSHA}, []*githubtest.Pull{pull(7, "stranger", "faster", headSHA, "open")}, 0, "workflow run 3: the repository of its head is gone"},
	}
	for _, tt := range tests {
		for _, all := range []bool{false, true} { // what GitHub lists is not believed
			t.Run(fmt.Sprintf("%s/%v", tt.name, all), func(t *testing.T) {
				s := githubtest.New()
				s.Pulls, s.AllPulls = tt.pulls, all
				got, err := dial(t, s).PullOf(context.Background(), &tt.run)
				if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
					t.Errorf("PullOf = %d, %v; want %d, %q", got, err, tt.want, tt.err)
				}
			})
		}
	}
}

func TestAccepted(t *testing.T) {
	at := func(minutes int) time.Time { return githubtest.Day.Add(time.Duration(minutes) * time.Minute) }
	label := func(who string, minutes int) githubtest.Event {
		return githubtest.Event{Issue: 7, Event: "labeled", Label: AcceptLabel, Actor: who, At: at(minutes)}
	}
	pushed := func(sha string, minutes int) githubtest.Activity {
		return githubtest.Activity{Ref: "refs/heads/faster", After: sha, At: at(minutes)}
	}
	other := strings.Repeat("d", 40)
	tests := []struct {
		name     string
		unset    bool // the label is not on it
		events   []githubtest.Event
		activity []githubtest.Activity
		head     string
		change   func(*githubtest.Server)
		want     string // who
		no       string // why it does not count
	}{
		{name: "no label", unset: true, events: []githubtest.Event{label("maria", 5)}, activity: []githubtest.Activity{pushed(headSHA, 0)}},
		{name: "after the push", events: []githubtest.Event{label("maria", 5)}, activity: []githubtest.Activity{pushed(headSHA, 0)}, want: "maria"},
		{name: "before the push", events: []githubtest.Event{label("maria", 5)}, activity: []githubtest.Activity{pushed(headSHA, 6), pushed(other, 0)}, no: "was pushed later, on 2026-01-02 03:10:05 UTC: set it anew"},
		{name: "at the same moment", events: []githubtest.Event{label("maria", 5)}, activity: []githubtest.Activity{pushed(headSHA, 5)}, no: "set it anew"},
		{name: "set anew", events: []githubtest.Event{label("maria", 5), {Issue: 7, Event: "unlabeled", Label: AcceptLabel, Actor: "maria", At: at(6)}, label("maria", 9)},
			activity: []githubtest.Activity{pushed(headSHA, 8), pushed(other, 0)}, want: "maria"},
		{name: "pushed back and forth", events: []githubtest.Event{label("maria", 5)}, activity: []githubtest.Activity{pushed(headSHA, 8), pushed(other, 7), pushed(headSHA, 0)}, no: "set it anew"},
		{name: "by the author", events: []githubtest.Event{label("mallory", 5)}, activity: []githubtest.Activity{pushed(headSHA, 0)}, no: "mallory set it, who may not write"},
		{name: "by one who may only sort", events: []githubtest.Event{label("tara", 5)}, activity: []githubtest.Activity{pushed(headSHA, 0)}, no: "tara set it, who may not write"},
		{name: "the last one counts", events: []githubtest.Event{label("maria", 5), label("mallory", 6)}, activity: []githubtest.Activity{pushed(headSHA, 0)}, no: "mallory set it"},
		{name: "another label", events: []githubtest.Event{{Issue: 7, Event: "labeled", Label: "bug", Actor: "maria", At: at(5)}}, activity: []githubtest.Activity{pushed(headSHA, 0)}, no: "no record of who set it"},
		{name: "another issue's", events: []githubtest.Event{{Issue: 8, Event: "labeled", Label: AcceptLabel, Actor: "maria", At: at(5)}}, activity: []githubtest.Activity{pushed(headSHA, 0)}, no: "no record of who set it"},
		{name: "another branch's push", events: []githubtest.Event{label("maria", 5)}, activity: []githubtest.Activity{{Ref: "refs/heads/main", After: headSHA, At: at(0)}}, no: "no record of when cccccccccccc was pushed"},
		{name: "another commit was measured", events: []githubtest.Event{label("maria", 5)}, activity: []githubtest.Activity{pushed(headSHA, 0)}, head: other, no: "the pull request is at cccccccccccc now, and dddddddddddd was measured"},
		{name: "fork gone", events: []githubtest.Event{label("maria", 5)}, change: func(s *githubtest.Server) { s.Pulls[0].HeadOwner = "" }, no: "the repository of the head is gone"},
		{name: "on the second page", events: []githubtest.Event{label("mallory", 1), label("maria", 5)}, activity: []githubtest.Activity{pushed(headSHA, 0)},
			change: func(s *githubtest.Server) { s.PageSize = 1 }, want: "maria"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := withPull()
			if !tt.unset {
				s.Pulls[0].Labels = []string{"bug", AcceptLabel}
			}
			s.Events, s.Activity = tt.events, tt.activity
			s.Permissions = map[string]string{"maria": "maintain", "tara": "triage"}
			if tt.change != nil {
				tt.change(s)
			}
			head := tt.head
			if head == "" {
				head = headSHA
			}
			got, err := dial(t, s).Accepted(context.Background(), 7, head)
			var no *NotAccepted
			switch {
			case tt.no != "":
				if got != nil || !errors.As(err, &no) || !strings.Contains(err.Error(), tt.no) {
					t.Errorf("Accepted = %v, %v; want none because %q", got, err, tt.no)
				}
			case tt.want == "":
				if got != nil || err != nil {
					t.Errorf("Accepted = %v, %v; want nothing", got, err)
				}
			case err != nil || got == nil || got.By != tt.want || got.Head != headSHA:
				t.Errorf("Accepted = %v, %v; want by %s", got, err, tt.want)
			}
			if n := len(s.Requests); n > 5 {
				t.Errorf("%d calls, want at most 5", n)
			}
		})
	}
}

// What GitHub does not say accepts nothing.
func TestAcceptedFails(t *testing.T) {
	for _, path := range []string{"/pulls/7$", "/events$", "/activity$", "/permission$"} {
		s := withPull()
		s.Pulls[0].Labels = []string{AcceptLabel}
		s.Events = []githubtest.Event{{Issue: 7, Event: "labeled", Label: AcceptLabel, Actor: "maria", At: githubtest.Day.Add(time.Hour)}}
		s.Activity = []githubtest.Activity{{Ref: "refs/heads/faster", After: headSHA, At: githubtest.Day}}
		s.Permissions = map[string]string{"maria": "admin"}
		s.Faults = []*githubtest.Fault{{Path: path, Status: 404}}
		if got, err := dial(t, s).Accepted(context.Background(), 7, headSHA); got != nil || !Forbidden(err) {
			t.Errorf("with 404 for %s Accepted = %v, %v; want nothing and forbidden", path, got, err)
		}
	}
}
