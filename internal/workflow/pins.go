package workflow

import "fmt"

// Pin is an action at one commit. A tag can be moved to other code after it was looked at, a commit cannot.
type Pin struct {
	// Action is owner/repository, with a folder behind it where the action lies in one.
	Action string
	// Version is the release that the commit is; it is a comment, and what dependency updaters read.
	Version string
	Commit  string
}

// String is the pin as a workflow has it behind "uses: ".
func (p Pin) String() string { return fmt.Sprintf("%s@%s # %s", p.Action, p.Commit, p.Version) }

// Pins are all actions that workflows of ours use, in generated ones and in .github/workflows alike. A commit is
// what the version's tag names in the action's own repository, as git for-each-ref refs/tags shows it. A newer
// release is taken by changing its row; the tests name every workflow that then has to follow.
var Pins = []Pin{
	{"actions/attest", "v4.2.2", "1e69f48acb82d1966a394da916b4c1698aa569d6"},
	{"actions/cache", "v5.0.5", "27d5ce7f107fe9357f9df03efb73ab90386fccae"},
	{"actions/checkout", "v7.0.1", "3d3c42e5aac5ba805825da76410c181273ba90b1"},
	{"actions/download-artifact", "v8.0.1", "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"},
	{"actions/setup-go", "v7.0.0", "b7ad1dad31e06c5925ef5d2fc7ad053ef454303e"},
	{"actions/upload-artifact", "v7.0.0", "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"},
	{"anchore/sbom-action/download-syft", "v0.24.0", "e22c389904149dbc22b58101806040fa8d37a610"},
	{"docker/build-push-action", "v7.3.0", "53b7df96c91f9c12dcc8a07bcb9ccacbed38856a"},
	{"docker/login-action", "v4.1.0", "4907a6ddec9925e35a0a9e82d7399ccc52663121"},
	{"docker/setup-buildx-action", "v4.3.0", "37fe631027851001ddb9b187196cc803df7f5f0e"},
	{"docker/setup-qemu-action", "v4.2.0", "96fe6ef7f33517b61c61be40b68a1882f3264fb8"},
	{"goreleaser/goreleaser-action", "v7.2.3", "f06c13b6b1a9625abc9e6e439d9c05a8f2190e94"},
	{"sigstore/cosign-installer", "v4.1.2", "6f9f17788090df1f26f669e9d70d6ae9567deba6"},
}

// pinned is the row of an action.
func pinned(action string) (Pin, error) {
	for _, p := range Pins {
		if p.Action == action {
			return p, nil
		}
	}
	return Pin{}, fmt.Errorf("no pin of %s", action)
}
