// Package setup tests the scripts of the setup action, and that they fit what a release holds.
package setup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// runner is a runner that install.sh runs on.
type runner struct {
	os, arch, temp string
	// sums is checksums.txt, nil for none; served are the files of the release, by path.
	sums   []byte
	served map[string][]byte
}

// installed is what install.sh left.
type installed struct {
	path, output, log string
	failed            bool
}

// install runs install.sh, copied to where it finds the checksums, with a server of releases.
func (r runner) install(t *testing.T) installed {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the runners here are folders with names of another system")
	}
	dir := t.TempDir()
	script, err := os.ReadFile("install.sh")
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "install.sh"), script)
	if r.sums != nil {
		put(t, filepath.Join(dir, "checksums.txt"), r.sums)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		data, ok := r.served[req.URL.Path]
		if !ok {
			http.NotFound(w, req)
			return
		}
		w.Write(data)
	}))
	defer server.Close()
	put(t, filepath.Join(dir, "bin", "cygpath"), []byte(cygpath))
	cmd := exec.Command("bash", filepath.Join(dir, "install.sh"))
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"), "HOME=" + dir, "ROOT=" + dir, "no_proxy=*",
		"RUNNER_OS=" + r.os, "RUNNER_ARCH=" + r.arch, "RUNNER_TEMP=" + strings.ReplaceAll(r.temp, "@", dir), "DOWNLOAD_URL=" + server.URL + "/download",
		"GITHUB_PATH=" + filepath.Join(dir, "path"), "GITHUB_OUTPUT=" + filepath.Join(dir, "output"),
	}
	out, err := cmd.CombinedOutput()
	got := installed{log: string(out), failed: err != nil}
	got.path, got.output = strings.ReplaceAll(read(filepath.Join(dir, "path")), dir, "@"), read(filepath.Join(dir, "output"))
	return got
}

// cygpath stands for the program of that name, with a drive D: that is the test's folder.
const cygpath = `#!/bin/sh
case $1 in
  --unix) printf '%s\n' "$2" | sed 's|\\|/|g' | sed "s|^D:|$ROOT/D|" ;;
  --windows) printf '%s\n' "$2" | sed "s|^$ROOT/D|D:|" | sed 's|/|\\|g' ;;
esac
`

func put(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o777); err != nil {
		t.Fatal(err)
	}
}

// read returns a file's text, empty where there is none.
func read(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(data)
}

// archive is one of a release: a program that says a version.
func archive(t *testing.T, version string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	script := "#!/bin/sh\necho perfgate " + version + " go1.26 os/arch\n"
	if err := w.WriteHeader(&tar.Header{Name: "perfgate", Mode: 0o755, Size: int64(len(script))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(script)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// released is a runner that finds the release 1.2.3 for its system.
func released(t *testing.T, system, arch, file string) runner {
	name := "perfgate_1.2.3_" + file + ".tar.gz"
	data := archive(t, "v1.2.3")
	sums := fmt.Appendf(nil, "%064d  perfgate_1.2.3_plan9_mips.tar.gz\n%x  %s\n", 0, sha256.Sum256(data), name)
	return runner{os: system, arch: arch, temp: "@/a folder/_temp", sums: sums, served: map[string][]byte{"/download/v1.2.3/" + name: data}}
}

func TestInstall(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ os, arch, file string }{
		{"Linux", "X64", "linux_amd64"}, {"Linux", "ARM64", "linux_arm64"}, {"macOS", "ARM64", "darwin_arm64"}, {"macOS", "X64", "darwin_amd64"},
	} {
		got := released(t, tt.os, tt.arch, tt.file).install(t)
		if want := (installed{path: "@/a folder/_temp/perfgate-v1.2.3\n", output: "version=v1.2.3\n", log: "perfgate v1.2.3 go1.26 os/arch\n"}); got != want {
			t.Errorf("%s %s = %+v, want %+v", tt.os, tt.arch, got, want)
		}
	}
}

// On Windows the runner's folders are of another form than bash's, and may have spaces.
func TestInstallWindows(t *testing.T) {
	t.Parallel()
	r := released(t, "Windows", "X64", "windows_amd64")
	r.temp = `D:\a folder\_temp`
	got := r.install(t)
	if want := (installed{path: "D:\\a folder\\_temp\\perfgate-v1.2.3\n", output: "version=v1.2.3\n", log: "perfgate v1.2.3 go1.26 os/arch\n"}); got != want {
		t.Errorf("install = %+v, want %+v", got, want)
	}
}

// Whatever is wrong, the step fails with the reason, and nothing of it is on the path.
func TestInstallRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, want string
		change     func(r *runner)
	}{
		{"tampered", "has the checksum", func(r *runner) {
			r.served["/download/v1.2.3/perfgate_1.2.3_linux_amd64.tar.gz"] = archive(t, "v1.2.3 of another")
		}},
		{"no release", "this commit of the action is no release", func(r *runner) { r.sums = nil }},
		{"no archive", "cannot download", func(r *runner) { r.served = nil }},
		{"system", "there is no perfgate for Plan9", func(r *runner) { r.os = "Plan9" }},
		{"architecture", "there is no perfgate for X86", func(r *runner) { r.arch = "X86" }},
		{"not listed", "does not have one line for linux and arm64", func(r *runner) { r.arch = "ARM64" }},
		{"listed twice", "does not have one line for linux and amd64", func(r *runner) { r.sums = append(r.sums, r.sums...) }},
		{"strange name", "does not have one line", func(r *runner) { r.sums = bytes.ReplaceAll(r.sums, []byte("1.2.3"), []byte("1;2/../3")) }},
		{"line end", "has a line end in it", func(r *runner) { r.temp = "@/a\nb" }},
		{"another version", "holds perfgate v9.9.9", func(r *runner) {
			data := archive(t, "v9.9.9")
			r.served["/download/v1.2.3/perfgate_1.2.3_linux_amd64.tar.gz"] = data
			r.sums = fmt.Appendf(nil, "%x  perfgate_1.2.3_linux_amd64.tar.gz\n", sha256.Sum256(data))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := released(t, "Linux", "X64", "linux_amd64")
			tt.change(&r)
			got := r.install(t)
			if !got.failed || got.path != "" || got.output != "" || !strings.Contains(got.log, "::error title=perfgate::") || !strings.Contains(got.log, tt.want) {
				t.Errorf("install = %+v, want a failure that says %q", got, tt.want)
			}
		})
	}
}

// TestDist installs what goreleaser made, from the folder that PERFGATE_TEST_DIST names; scripts/snapshot sets it.
func TestDist(t *testing.T) {
	dist := os.Getenv("PERFGATE_TEST_DIST")
	if dist == "" {
		t.Skip("PERFGATE_TEST_DIST names no folder that goreleaser wrote")
	}
	r := runner{os: "Linux", arch: map[string]string{"amd64": "X64", "arm64": "ARM64"}[runtime.GOARCH], temp: "@", sums: []byte(read(filepath.Join(dist, "checksums.txt"))), served: map[string][]byte{}}
	archives, err := filepath.Glob(filepath.Join(dist, "perfgate_*.tar.gz"))
	if err != nil || len(archives) != 6 {
		t.Fatalf("%d archives in %s, want 6: %v", len(archives), dist, err)
	}
	version := ""
	for _, name := range archives {
		parts := strings.Split(strings.TrimSuffix(filepath.Base(name), ".tar.gz"), "_")
		version = "v" + parts[1]
		r.served["/download/"+version+"/"+filepath.Base(name)] = []byte(read(name))
	}
	got := r.install(t)
	if got.failed || got.path != "@/perfgate-"+version+"\n" || got.output != "version="+version+"\n" {
		t.Errorf("install = %+v, want %s", got, version)
	}
}

// The configuration of the release makes the archives that install.sh looks for, and binaries with the version that
// it wants and with the flags of the image's.
func TestReleaseConfiguration(t *testing.T) {
	var c struct {
		Project string `yaml:"project_name"`
		Builds  []struct{ Env, Goos, Goarch, Flags, Ldflags []string }
		Archive []struct {
			Name    string `yaml:"name_template"`
			Formats []string
		} `yaml:"archives"`
		Checksum struct {
			Name string `yaml:"name_template"`
		}
	}
	if err := yaml.Unmarshal([]byte(read("../.goreleaser.yaml")), &c); err != nil {
		t.Fatal(err)
	}
	b := c.Builds[0]
	if name := c.Archive[0].Name; c.Project != "perfgate" || name != "{{ .ProjectName }}_{{ .Version }}_{{ .Os }}_{{ .Arch }}" || !slices.Equal(c.Archive[0].Formats, []string{"tar.gz"}) {
		t.Errorf("archives of %s are %s in %v", c.Project, name, c.Archive[0].Formats)
	}
	if !slices.Equal(b.Goos, []string{"linux", "darwin", "windows"}) || !slices.Equal(b.Goarch, []string{"amd64", "arm64"}) {
		t.Errorf("binaries for %v, %v: install.sh has others", b.Goos, b.Goarch)
	}
	script := read("install.sh")
	for _, name := range slices.Concat(b.Goos, b.Goarch) {
		if !strings.Contains(script, "="+name+" ;;") {
			t.Errorf("install.sh does not know %s", name)
		}
	}
	if c.Checksum.Name != "checksums.txt" || !strings.Contains(script, "/checksums.txt\n") {
		t.Errorf("checksums are in %s", c.Checksum.Name)
	}
	flags := strings.ReplaceAll(strings.Join(b.Flags, " ")+` -ldflags "`+b.Ldflags[0]+`"`, "v{{ .Version }}", "${VERSION}")
	if image := strings.Join(strings.Fields(strings.ReplaceAll(read("../Dockerfile"), "\\\n", " ")), " "); !strings.Contains(image, "CGO_ENABLED=0") || !strings.Contains(image, "go build "+flags+" ") || !slices.Equal(b.Env, []string{"CGO_ENABLED=0"}) {
		t.Errorf("the image's binary is not built with CGO_ENABLED=0 and %s, as the archives' are", flags)
	}
}
