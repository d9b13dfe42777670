package proc

import (
	"slices"
	"strings"
)

// passed are the variables that benchmarks see. An allow-list: on a pull request
// the benchmark is a stranger's code, and the environment of a container action holds tokens.
// It also keeps the environment, whose size moves the stack, the same from run to run.
var passed = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "CI",
	"SYSTEMROOT", "SYSTEMDRIVE", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "COMSPEC", "PATHEXT", "PROGRAMDATA",
	"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "DARWIN_USER_CACHE_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR",
	"CC", "CXX", "FC", "AR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBRARY_PATH", "CPATH", "C_INCLUDE_PATH",
	"PKG_CONFIG", "PKG_CONFIG_PATH", "GCCGO",
	"GOROOT", "GOPATH", "GOBIN", "GOCACHE", "GOMODCACHE", "GOENV", "GOFLAGS", "GOTMPDIR", "GOTOOLCHAIN",
	"GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOSUMDB", "GOINSECURE", "GOVCS", "GOWORK", "GO111MODULE",
	"GOOS", "GOARCH", "GOAMD64", "GO386", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64",
	"GOEXPERIMENT", "GOFIPS140", "GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG", "GOTRACEBACK",
}

var passedPrefixes = []string{"CGO_", "LC_"}

// toBuild are the further variables that the go command sees when it builds: they may hold
// what a private module needs, and a benchmark has no business with that.
var toBuild = []string{"GOPROXY", "GOAUTH", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "NETRC"}

var toBuildPrefixes = []string{"GIT_CONFIG_"}

// Env returns the variables of environ that benchmarks and targets may see: what Go and C
// programs need to run, and those named in extra.
func Env(environ, extra []string) []string {
	return keepVars(environ, slices.Concat(passed, extra), passedPrefixes)
}

// BuildEnv returns the variables of environ that the go command sees.
func BuildEnv(environ, extra []string) []string {
	return keepVars(environ, slices.Concat(passed, toBuild, extra), slices.Concat(passedPrefixes, toBuildPrefixes))
}

func keepVars(environ, names, prefixes []string) []string {
	var kept []string
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		if slices.Contains(names, name) ||
			slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			kept = append(kept, kv)
		}
	}
	return kept
}

// Lookup returns the value of a variable in environ, the last one as exec does.
func Lookup(environ []string, name string) string {
	for _, kv := range slices.Backward(environ) {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	return ""
}

// WithVar returns environ with name set to value.
func WithVar(environ []string, name, value string) []string {
	return append(slices.Clip(environ), name+"="+value)
}
