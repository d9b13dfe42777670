package githubtest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// operations are what the server can do, by their names in the description.
var operations = map[string]func(*Server, http.ResponseWriter, *http.Request, map[string]string){
	"users/get-authenticated":                 (*Server).user,
	"repos/get":                               (*Server).repository,
	"repos/get-content":                       (*Server).content,
	"repos/create-or-update-file-contents":    (*Server).putContent,
	"repos/get-commit":                        (*Server).commit,
	"repos/compare-commits-with-basehead":     (*Server).compare,
	"repos/list-activities":                   (*Server).activities,
	"repos/get-collaborator-permission-level": (*Server).permission,
	"git/get-blob":                            (*Server).blob,
	"git/get-ref":                             (*Server).getRef,
	"git/create-ref":                          (*Server).createRef,
	"git/update-ref":                          (*Server).updateRef,
	"git/get-tag":                             (*Server).tag,
	"git/create-tree":                         (*Server).createTree,
	"git/get-commit":                          (*Server).gitCommit,
	"git/create-commit":                       (*Server).createCommit,
	"issues/list-comments":                    (*Server).comments,
	"issues/create-comment":                   (*Server).createComment,
	"issues/update-comment":                   (*Server).updateComment,
	"issues/delete-comment":                   (*Server).deleteComment,
	"issues/list-events":                      (*Server).events,
	"pulls/list":                              (*Server).pulls,
	"pulls/get":                               (*Server).pull,
	"pulls/create":                            (*Server).createPull,
	"pulls/update":                            (*Server).updatePull,
	"actions/get-workflow-run":                (*Server).run,
	"actions/list-workflow-run-artifacts":     (*Server).artifacts,
	"actions/download-artifact":               (*Server).download,
}

func (s *Server) carryOut(w http.ResponseWriter, r *http.Request, params map[string]string) {
	do, ok := operations[params[operation]]
	if !ok {
		answer(w, http.StatusNotImplemented, message("no such operation here: "+params[operation]))
		return
	}
	do(s, w, r, params)
}

func missing(w http.ResponseWriter) { answer(w, http.StatusNotFound, message("Not Found")) }

// decode reads a request's body, which the description has allowed.
func decode(r *http.Request) map[string]any {
	var body map[string]any
	json.NewDecoder(r.Body).Decode(&body)
	return body
}

func text(body map[string]any, name string) string { t, _ := body[name].(string); return t }

func (s *Server) user(w http.ResponseWriter, _ *http.Request, _ map[string]string) {
	if s.Bot {
		answer(w, http.StatusForbidden, message("Resource not accessible by integration"))
		return
	}
	answer(w, http.StatusOK, map[string]any{"login": s.Login, "type": "User"})
}

func (s *Server) repository(w http.ResponseWriter, _ *http.Request, p map[string]string) {
	answer(w, http.StatusOK, map[string]any{"name": p["repo"], "default_branch": s.DefaultBranch})
}

// big is where the contents come without content.
const big = 1 << 20

func (s *Server) content(w http.ResponseWriter, r *http.Request, p map[string]string) {
	sha := s.resolve(cmp.Or(r.URL.Query().Get("ref"), s.DefaultBranch))
	c := s.Commits[sha]
	if c == nil {
		missing(w)
		return
	}
	data, ok := c.Files[p["path"]]
	if !ok {
		missing(w)
		return
	}
	file := map[string]any{"type": "file", "path": p["path"], "size": len(data), "sha": Blob(data), "encoding": "base64",
		"content": base64.StdEncoding.EncodeToString([]byte(data))}
	if len(data) > big {
		file["encoding"], file["content"] = "none", ""
	}
	answer(w, http.StatusOK, file)
}

func (s *Server) putContent(w http.ResponseWriter, r *http.Request, p map[string]string) {
	body := decode(r)
	branch := cmp.Or(text(body, "branch"), s.DefaultBranch)
	ref := "refs/heads/" + branch
	at := s.Refs[ref]
	if at == "" {
		missing(w)
		return
	}
	if slices.Contains(s.Protected, branch) {
		answer(w, http.StatusConflict, message("Repository rule violations found\n\nChanges must be made through a pull request."))
		return
	}
	old, there := s.Commits[at].Files[p["path"]]
	switch sha := text(body, "sha"); {
	case there && sha == "":
		answer(w, http.StatusUnprocessableEntity, message(`Invalid request. "sha" wasn't supplied.`))
		return
	case there && sha != Blob(old), !there && sha != "":
		answer(w, http.StatusConflict, message(p["path"]+" does not match "+sha))
		return
	}
	data, err := base64.StdEncoding.DecodeString(text(body, "content"))
	if err != nil {
		answer(w, http.StatusUnprocessableEntity, message("content is not valid Base64"))
		return
	}
	sha := s.Push(branch, text(body, "message"), map[string]string{p["path"]: string(data)})
	s.Commits[sha].Author = author(body)
	answer(w, http.StatusOK, map[string]any{"commit": map[string]any{"sha": sha}, "content": map[string]any{"sha": Blob(string(data))}})
}

// author is what a request says of who made a commit.
func author(body map[string]any) string {
	if body["author"] == nil && body["committer"] == nil {
		return ""
	}
	return fmt.Sprint(body["author"], body["committer"])
}

func (s *Server) commit(w http.ResponseWriter, r *http.Request, p map[string]string) {
	sha := s.resolve(p["ref"])
	if sha == "" {
		answer(w, http.StatusUnprocessableEntity, message("No commit found for SHA: "+p["ref"]))
		return
	}
	if strings.Contains(r.Header.Get("Accept"), ".sha") {
		fmt.Fprint(w, sha)
		return
	}
	answer(w, http.StatusOK, map[string]any{"sha": sha})
}

func (s *Server) compare(w http.ResponseWriter, _ *http.Request, p map[string]string) {
	from, to, _ := strings.Cut(p["basehead"], "...")
	a, b := s.resolve(from), s.resolve(to)
	if a == "" || b == "" {
		missing(w)
		return
	}
	before, after := s.ancestors(b)[a], s.ancestors(a)[b]
	status := "diverged"
	switch {
	case before && after:
		status = "identical"
	case before:
		status = "ahead"
	case after:
		status = "behind"
	}
	out := map[string]any{"status": status}
	if base := s.mergeBase(a, b); base != "" {
		out["merge_base_commit"] = map[string]any{"sha": base}
	}
	answer(w, http.StatusOK, out)
}

func (s *Server) activities(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	var all []any
	for _, a := range s.Activity {
		if ref := r.URL.Query().Get("ref"); ref == "" || strings.TrimPrefix(a.Ref, "refs/heads/") == strings.TrimPrefix(ref, "refs/heads/") {
			all = append(all, map[string]any{"ref": a.Ref, "before": a.Before, "after": a.After, "timestamp": a.At, "activity_type": "push"})
		}
	}
	answer(w, http.StatusOK, all[:min(len(all), number(r, "per_page", 30))])
}

func (s *Server) permission(w http.ResponseWriter, _ *http.Request, p map[string]string) {
	role := cmp.Or(s.Permissions[p["username"]], "read")
	legacy := map[string]string{"maintain": "write", "triage": "read"}
	answer(w, http.StatusOK, map[string]any{"permission": cmp.Or(legacy[role], role), "role_name": role})
}

func (s *Server) blob(w http.ResponseWriter, _ *http.Request, p map[string]string) {
	for _, sha := range slices.Sorted(maps.Keys(s.Commits)) {
		for _, data := range s.Commits[sha].Files {
			if Blob(data) == p["file_sha"] {
				fmt.Fprint(w, data)
				return
			}
		}
	}
	missing(w)
}

func (s *Server) getRef(w http.ResponseWriter, _ *http.Request, p map[string]string) {
	name := "refs/" + p["ref"]
	sha, ok := s.Refs[name]
	if !ok {
		missing(w)
		return
	}
	answer(w, http.StatusOK, s.ref(name, sha))
}

func (s *Server) ref(name, sha string) map[string]any {
	kind := "commit"
	if _, annotated := s.TagObjects[sha]; annotated {
		kind = "tag"
	}
	return map[string]any{"ref": name, "object": map[string]any{"sha": sha, "type": kind}}
}

func (s *Server) createRef(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	body := decode(r)
	name := text(body, "ref")
	if _, ok := s.Refs[name]; ok {
		answer(w, http.StatusUnprocessableEntity, message("Reference already exists"))
		return
	}
	s.Refs[name] = text(body, "sha")
	answer(w, http.StatusCreated, s.ref(name, s.Refs[name]))
}

func (s *Server) updateRef(w http.ResponseWriter, r *http.Request, p map[string]string) {
	body := decode(r)
	name := "refs/" + p["ref"]
	if _, ok := s.Refs[name]; !ok {
		answer(w, http.StatusUnprocessableEntity, message("Reference does not exist"))
		return
	}
	if force, _ := body["force"].(bool); !force && !s.ancestors(text(body, "sha"))[s.Refs[name]] {
		answer(w, http.StatusUnprocessableEntity, message("Update is not a fast forward"))
		return
	}
	s.Refs[name] = text(body, "sha")
	answer(w, http.StatusOK, s.ref(name, s.Refs[name]))
}

func (s *Server) tag(w http.ResponseWriter, _ *http.Request, p map[string]string) {
	commit, ok := s.TagObjects[p["tag_sha"]]
	if !ok {
		missing(w)
		return
	}
	answer(w, http.StatusOK, map[string]any{"sha": p["tag_sha"], "object": map[string]any{"sha": commit, "type": "commit"}})
}

// A commit's tree has the commit's own hash here.
func (s *Server) gitCommit(w http.ResponseWriter, _ *http.Request, p map[string]string) {
	if s.Commits[p["commit_sha"]] == nil {
		missing(w)
		return
	}
	answer(w, http.StatusOK, map[string]any{"sha": p["commit_sha"], "tree": map[string]any{"sha": p["commit_sha"]}})
}

// A tree is kept as a commit that no ref leads to.
func (s *Server) createTree(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	body := decode(r)
	c := &Commit{Files: map[string]string{}}
	if from := s.Commits[text(body, "base_tree")]; from != nil {
		c.Files = maps.Clone(from.Files)
	}
	entries, _ := body["tree"].([]any)
	for _, e := range entries {
		entry, _ := e.(map[string]any)
		c.Files[text(entry, "path")] = text(entry, "content")
	}
	answer(w, http.StatusCreated, map[string]any{"sha": s.Add(c)})
}

func (s *Server) createCommit(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	body := decode(r)
	tree := s.Commits[text(body, "tree")]
	if tree == nil {
		answer(w, http.StatusUnprocessableEntity, message("Tree SHA does not exist"))
		return
	}
	c := &Commit{Files: tree.Files, Message: text(body, "message"), Author: author(body)}
	parents, _ := body["parents"].([]any)
	for _, p := range parents {
		c.Parents = append(c.Parents, fmt.Sprint(p))
	}
	answer(w, http.StatusCreated, map[string]any{"sha": s.Add(c)})
}

func id(p map[string]string, name string) int64 {
	n, _ := strconv.ParseInt(p[name], 10, 64)
	return n
}
