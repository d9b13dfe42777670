package proc

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBenchmarkEnv(t *testing.T) {
	environ := []string{
		"PATH=/bin", "HOME=/home/u", "GOFLAGS=-v", "GOPATH=/go", "GOGC=50", "GOMAXPROCS=2", "CGO_CFLAGS=-O2", "LC_ALL=C", "LANG=C",
		"HTTP_PROXY=http://proxy.example.com", "CI=true", "TMPDIR=/tmp", "DATABASE_URL=postgres://x", "MY_SETTING=1", "MY_SETTING_2=1",
		"GITHUB_TOKEN=secret", "GITHUB_OUTPUT=/out", "GITHUB_ENV=/env", "GITHUB_PATH=/path", "GITHUB_STEP_SUMMARY=/s", "GITHUB_ACTIONS=true",
		"INPUT_BUDGET=5m", "INPUT_TOKEN=secret", "ACTIONS_RUNTIME_TOKEN=secret", "ACTIONS_ID_TOKEN_REQUEST_URL=http://x", "RUNNER_TEMP=/t",
		"GH_TOKEN=secret", "AWS_SECRET_ACCESS_KEY=secret", "NPM_TOKEN=secret", "PERFGATE_SEED=1",
		"GOPROXY=https://user:pass@proxy.example.com", "GOAUTH=netrc", "SSH_AUTH_SOCK=/s", "NETRC=/n", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=a",
		"GIT_SSH_COMMAND=ssh", "PATHOLOGICAL=1", "HOMEWORK=1", "broken", "",
	}
	usual := []string{
		"PATH=/bin", "HOME=/home/u", "GOFLAGS=-v", "GOPATH=/go", "GOGC=50", "GOMAXPROCS=2", "CGO_CFLAGS=-O2", "LC_ALL=C", "LANG=C",
		"HTTP_PROXY=http://proxy.example.com", "CI=true", "TMPDIR=/tmp",
	}
	toGo := []string{
		"GOPROXY=https://user:pass@proxy.example.com", "GOAUTH=netrc", "SSH_AUTH_SOCK=/s", "NETRC=/n", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=a",
		"GIT_SSH_COMMAND=ssh",
	}
	for _, tt := range []struct {
		name string
		got  []string
		want []string
	}{
		{"benchmarks", Env(environ, nil), usual},
		{"benchmarks that need more", Env(environ, []string{"DATABASE_URL", "MY_SETTING", "NOT_SET"}), append(slices.Clone(usual), "DATABASE_URL=postgres://x", "MY_SETTING=1")},
		{"the go command", BuildEnv(environ, nil), append(slices.Clone(usual), toGo...)},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s see (-want +got):\n%s", tt.name, diff)
		}
	}
	for _, kv := range slices.Concat(Env(environ, nil), BuildEnv(environ, nil)) {
		for _, secret := range []string{"INPUT_", "ACTIONS_", "GITHUB_", "TOKEN", "secret"} {
			if strings.Contains(kv, secret) {
				t.Errorf("a child sees %s", kv)
			}
		}
	}
}

func TestLookup(t *testing.T) {
	env := []string{"A=1", "AB=2", "A=3", "C="}
	for name, want := range map[string]string{"A": "3", "AB": "2", "C": "", "D": ""} {
		if got := Lookup(env, name); got != want {
			t.Errorf("Lookup(%s) = %q, want %q", name, got, want)
		}
	}
	with := WithVar(env, "A", "4")
	if Lookup(with, "A") != "4" || Lookup(env, "A") != "3" {
		t.Error("withVar does not set the variable in a copy")
	}
}
