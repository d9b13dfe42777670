package githubtest

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// statePath answers with all that the server holds, and what was asked of it.
const statePath = "/_state"

// FromJSON returns a server that holds, beyond what New does, what the JSON says.
func FromJSON(data []byte) (*Server, error) {
	s := New()
	return s, json.Unmarshal(data, s)
}

// State is the server as JSON.
func (s *Server) State() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", " ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(s)
	return out.Bytes(), err
}

// Handler is the server with its state beside it, for programs.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s)
	mux.HandleFunc(statePath, func(w http.ResponseWriter, _ *http.Request) {
		data, err := s.State()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Write(data)
	})
	return mux
}
