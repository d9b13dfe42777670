package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

func commentJSON(c *Comment) map[string]any {
	return map[string]any{"id": c.ID, "body": c.Body, "user": map[string]any{"login": c.Login, "type": c.Type}}
}

func (s *Server) comments(w http.ResponseWriter, r *http.Request, p map[string]string) {
	var all []any
	for _, c := range s.Comments {
		if c.Issue == int(id(p, "issue_number")) {
			all = append(all, commentJSON(c))
		}
	}
	page(s, w, r, all, func(part []any) any { return part })
}

// longest is what a comment may hold, in characters.
const longest = 65_536

func tooLong(w http.ResponseWriter, body string) bool {
	if utf8.RuneCountInString(body) <= longest {
		return false
	}
	answer(w, http.StatusUnprocessableEntity, map[string]any{"message": "Validation Failed",
		"errors": []any{map[string]any{"resource": "IssueComment", "code": "unprocessable", "field": "data", "message": "Body is too long (maximum is 65536 characters)"}}})
	return true
}

func (s *Server) createComment(w http.ResponseWriter, r *http.Request, p map[string]string) {
	body := text(decode(r), "body")
	if tooLong(w, body) {
		return
	}
	kind := "User"
	if s.Bot {
		kind = "Bot"
	}
	c := &Comment{ID: int64(1000 + len(s.Comments)), Issue: int(id(p, "issue_number")), Login: s.Login, Type: kind, Body: body}
	s.Comments = append(s.Comments, c)
	answer(w, http.StatusCreated, commentJSON(c))
}

func (s *Server) updateComment(w http.ResponseWriter, r *http.Request, p map[string]string) {
	body := text(decode(r), "body")
	if tooLong(w, body) {
		return
	}
	for _, c := range s.Comments {
		if c.ID == id(p, "comment_id") {
			c.Body = body
			answer(w, http.StatusOK, commentJSON(c))
			return
		}
	}
	missing(w)
}

func (s *Server) deleteComment(w http.ResponseWriter, _ *http.Request, p map[string]string) {
	s.Comments = slices.DeleteFunc(s.Comments, func(c *Comment) bool { return c.ID == id(p, "comment_id") })
	answer(w, http.StatusNoContent, nil)
}

func (s *Server) events(w http.ResponseWriter, r *http.Request, p map[string]string) {
	var all []any
	for i, e := range s.Events {
		if e.Issue == int(id(p, "issue_number")) {
			all = append(all, map[string]any{"id": i + 1, "event": e.Event, "created_at": e.At, "actor": map[string]any{"login": e.Actor},
				"label": map[string]any{"name": e.Label}})
		}
	}
	page(s, w, r, all, func(part []any) any { return part })
}

func pullJSON(pr *Pull) map[string]any {
	labels := []any{}
	for _, l := range pr.Labels {
		labels = append(labels, map[string]any{"name": l})
	}
	head := map[string]any{"ref": pr.Head, "sha": pr.HeadSHA, "repo": nil}
	if pr.HeadOwner != "" {
		head["repo"] = map[string]any{"name": "repo", "owner": map[string]any{"login": pr.HeadOwner}}
	}
	return map[string]any{"number": pr.Number, "state": pr.State, "title": pr.Title, "body": pr.Body, "labels": labels,
		"head": head, "base": map[string]any{"ref": pr.Base}, "html_url": fmt.Sprintf("https://github.com/owner/repo/pull/%d", pr.Number)}
}

func (s *Server) pulls(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	q := r.URL.Query()
	var all []any
	for _, pr := range s.Pulls {
		// A head that is not of the form owner:branch is ignored without a word.
		if head := q.Get("head"); !s.AllPulls && strings.Contains(head, ":") && head != pr.HeadOwner+":"+pr.Head {
			continue
		}
		if state := q.Get("state"); state != "all" && state != pr.State || q.Get("base") != "" && q.Get("base") != pr.Base {
			continue
		}
		all = append(all, pullJSON(pr))
	}
	page(s, w, r, all, func(part []any) any { return part })
}

func (s *Server) find(p map[string]string) *Pull {
	for _, pr := range s.Pulls {
		if pr.Number == int(id(p, "pull_number")) {
			return pr
		}
	}
	return nil
}

func (s *Server) pull(w http.ResponseWriter, _ *http.Request, p map[string]string) {
	if pr := s.find(p); pr != nil {
		answer(w, http.StatusOK, pullJSON(pr))
		return
	}
	missing(w)
}

func (s *Server) createPull(w http.ResponseWriter, r *http.Request, p map[string]string) {
	if s.NoPulls {
		answer(w, http.StatusForbidden, message("GitHub Actions is not permitted to create or approve pull requests."))
		return
	}
	body := decode(r)
	for _, pr := range s.Pulls {
		if pr.State == "open" && pr.Head == text(body, "head") && pr.Base == text(body, "base") {
			answer(w, http.StatusUnprocessableEntity, map[string]any{"message": "Validation Failed",
				"errors": []any{map[string]any{"resource": "PullRequest", "code": "custom", "message": "A pull request already exists for " + p["owner"] + ":" + pr.Head + "."}}})
			return
		}
	}
	pr := &Pull{Number: 100 + len(s.Pulls), HeadOwner: p["owner"], Head: text(body, "head"), HeadSHA: s.resolve(text(body, "head")), Base: text(body, "base"),
		Title: text(body, "title"), Body: text(body, "body"), State: "open"}
	s.Pulls = append(s.Pulls, pr)
	answer(w, http.StatusCreated, pullJSON(pr))
}

func (s *Server) updatePull(w http.ResponseWriter, r *http.Request, p map[string]string) {
	pr, body := s.find(p), decode(r)
	if pr == nil {
		missing(w)
		return
	}
	pr.Title, pr.Body = text(body, "title"), text(body, "body")
	answer(w, http.StatusOK, pullJSON(pr))
}
