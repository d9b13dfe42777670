package setup

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// sums is goreleaser's file of checksums, with an SBOM among the archives.
func sums(version string) string {
	var out strings.Builder
	for i, name := range []string{"darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64", "windows_amd64", "windows_arm64"} {
		fmt.Fprintf(&out, "%064x  perfgate_%s_%s.tar.gz\n%064x  perfgate_%[2]s_%[3]s.tar.gz.sbom.json\n", i, version, name, i+10)
	}
	return out.String()
}

// The release's commit differs from the one that was built in the image and in the checksums, and in nothing else.
func TestReleaseCommit(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("releases are made on Linux")
	}
	t.Parallel()
	action := read("../action.yml")
	digest := "sha256:" + strings.Repeat("0123456789abcdef", 4)
	tests := []struct{ name, version, digest, action, sums, fails string }{
		{"good", "v1.2.3", digest, action, sums("1.2.3"), ""},
		{"version", "v1", digest, action, sums("1.2.3"), "not a full version"},
		{"digest", "v1.2.3", "latest", action, sums("1.2.3"), "not a digest"},
		{"other archives", "v1.2.3", digest, action, sums("1.2.2"), "has 0 archives of v1.2.3"},
		{"released already", "v1.2.3", digest, "runs:\n", sums("1.2.3"), "no line image: Dockerfile"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			put(t, filepath.Join(dir, "action.yml"), []byte(tt.action))
			put(t, filepath.Join(dir, "setup", "action.yml"), nil)
			put(t, filepath.Join(dir, "sums"), []byte(tt.sums))
			out, err := exec.Command("bash", "../scripts/releasecommit", dir, tt.version, tt.digest, filepath.Join(dir, "sums")).CombinedOutput()
			if tt.fails != "" {
				if err == nil || !strings.Contains(string(out), tt.fails) {
					t.Errorf("releasecommit: %v, %s, want a failure that says %q", err, out, tt.fails)
				}
				if read(filepath.Join(dir, "action.yml")) != tt.action || read(filepath.Join(dir, "setup", "checksums.txt")) != "" {
					t.Error("it failed and changed a file")
				}
				return
			}
			if err != nil {
				t.Fatalf("releasecommit: %v, %s", err, out)
			}
			want := strings.Replace(action, "image: Dockerfile", "image: docker://ghcr.io/org/perfgate:v1.2.3@"+digest, 1)
			if got := read(filepath.Join(dir, "action.yml")); got != want || got == action {
				t.Errorf("action.yml is\n%s", got)
			}
			if got := read(filepath.Join(dir, "setup", "checksums.txt")); strings.Count(got, "\n") != 6 || strings.Contains(got, "sbom") {
				t.Errorf("checksums.txt is\n%s", got)
			}
		})
	}
}
