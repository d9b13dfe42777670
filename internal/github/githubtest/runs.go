package githubtest

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
)

func (s *Server) run(w http.ResponseWriter, _ *http.Request, p map[string]string) {
	for _, run := range s.Runs {
		if run.ID != id(p, "run_id") {
			continue
		}
		var head any
		if !run.HeadGone {
			head = map[string]any{"name": "repo", "owner": map[string]any{"login": run.HeadOwner}}
		}
		answer(w, http.StatusOK, map[string]any{"id": run.ID, "event": run.Event, "head_branch": run.HeadBranch, "head_sha": run.HeadSHA,
			"conclusion": run.Conclusion, "head_repository": head, "pull_requests": []any{}, // as they are of forks
			"html_url": fmt.Sprintf("https://github.com/owner/repo/actions/runs/%d", run.ID)})
		return
	}
	missing(w)
}

func (s *Server) artifacts(w http.ResponseWriter, r *http.Request, p map[string]string) {
	var all []any
	for _, a := range s.Artifacts {
		if name := r.URL.Query().Get("name"); a.RunID == id(p, "run_id") && (name == "" || name == a.Name) {
			all = append(all, map[string]any{"id": a.ID, "name": a.Name, "size_in_bytes": len(a.Zip), "expired": a.Expired})
		}
	}
	page(s, w, r, all, func(part []any) any { return map[string]any{"total_count": len(all), "artifacts": part} })
}

// storePath is where artifacts lie, which is not at the API's host.
const storePath = "/store/"

func (s *Server) download(w http.ResponseWriter, r *http.Request, p map[string]string) {
	s.apiHost = r.Host
	http.Redirect(w, r, fmt.Sprintf("%s%s%s?signature=secret", cmp.Or(s.StoreURL, "http://store.example"), storePath, p["artifact_id"]), http.StatusFound)
}

func (s *Server) store(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" && r.Host != s.apiHost {
		s.Wrong = append(s.Wrong, "the token went to the artifact store")
	}
	for _, a := range s.Artifacts {
		if fmt.Sprint(a.ID) == strings.TrimPrefix(r.URL.Path, storePath) {
			w.Write(a.Zip)
			return
		}
	}
	http.Error(w, "<Error>BlobNotFound</Error>", http.StatusNotFound)
}
