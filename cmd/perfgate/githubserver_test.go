package main

import (
	"encoding/base64"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/org/perfgate/internal/github/githubtest"
)

// servers are those of the running scripts, by their addresses.
var servers sync.Map

// serveGitHub serves GitHub's API to a script. A name in the state's file that begins with a dollar sign is a variable.
func serveGitHub(ts *testscript.TestScript, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	s, err := githubtest.FromJSON([]byte(text))
	ts.Check(err)
	server := httptest.NewUnstartedServer(s)
	s.StoreURL = "http://" + strings.Replace(server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	server.Start()
	servers.Store(server.URL, s)
	ts.Defer(func() {
		servers.Delete(server.URL)
		server.Close()
	})
	ts.Setenv("GITHUB_API_URL", server.URL)
	ts.Setenv("GITHUB_REPOSITORY", "owner/repo")
}

// revision sets a variable to the commit that a name of git's means.
func revision(ts *testscript.TestScript, args []string) {
	cmd := exec.Command("git", "-C", ts.MkAbs("."), "rev-parse", args[1])
	out, err := cmd.Output()
	ts.Check(err)
	ts.Setenv(args[0], strings.TrimSpace(string(out)))
}

// expand puts the values of variables into a file.
func expand(ts *testscript.TestScript, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(os.Expand(ts.ReadFile(args[0]), ts.Getenv)), 0o666))
}

// zipped makes the variable ZIP a zip archive of a file, as JSON has bytes.
func zipped(ts *testscript.TestScript, args []string) {
	files := map[string]string{}
	for _, name := range args {
		files[name] = ts.ReadFile(name)
	}
	ts.Setenv("ZIP", base64.StdEncoding.EncodeToString(githubtest.Archive(files)))
}

// asked writes what the script's server holds. A request that GitHub would not take fails the script.
func asked(ts *testscript.TestScript, args []string) {
	found, ok := servers.Load(ts.Getenv("GITHUB_API_URL"))
	if !ok {
		ts.Fatalf("there is no server: start it with github STATE")
	}
	s := found.(*githubtest.Server)
	data, err := s.State()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o666))
	if len(s.Wrong) > 0 {
		ts.Fatalf("GitHub's description does not allow:\n%s", strings.Join(s.Wrong, "\n"))
	}
}
