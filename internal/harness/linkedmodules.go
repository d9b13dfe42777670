package harness

import (
	"cmp"
	"context"
	"debug/buildinfo"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// linkedModules are what a program is built of: by module path its version, or what replaces it, of a main module the
// go line of its go.mod, which chooses the language; and the toolchain as "go". It is nil where that is not known.
type linkedModules map[string]string

// toolchain is the name of the toolchain among the modules.
const toolchain = "go"

// built is what a Go program says that it was built of, nil where the file is none.
func built(file string) *buildinfo.BuildInfo {
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() { // a stranger may have named it
		return nil
	}
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return nil
	}
	return info
}

// modulesOf are those of a program.
func modulesOf(info *buildinfo.BuildInfo) linkedModules {
	if info == nil {
		return nil
	}
	all := linkedModules{toolchain: info.GoVersion}
	for _, m := range info.Deps {
		all[m.Path] = m.Version
		if m.Replace != nil {
			all[m.Path] = strings.TrimSpace(m.Replace.Path + " " + m.Replace.Version)
		}
	}
	return all
}

// listedModule is a line for the module of each package of a list.
const listedModule = `{{with .Module}}{{.Path}} {{if .Main}}go {{.GoVersion}}{{else if .Replace}}{{.Replace.Path}} {{.Replace.Version}}{{else}}{{.Version}}{{end}}{{end}}`

// modulesOfTest are those of a test binary, which does not have them in it (as of Go 1.26): the go command lists them.
func (b *builder) modulesOfTest(ctx context.Context, bin *binary) (linkedModules, error) {
	info := built(bin.path)
	if info == nil {
		return nil, nil
	}
	g, how := b.toolOf(bin.recipe), bin.recipe
	out, err := g.run(ctx, b.trees[how.side].dir(how.pkg.Module), append(g.tagged([]string{"list", "-e", "-deps", "-test", "-f", listedModule}), "--", how.pkg.ImportPath)...)
	if err != nil {
		return nil, err
	}
	all := linkedModules{toolchain: info.GoVersion}
	for line := range strings.Lines(string(out)) {
		if path, version, ok := strings.Cut(strings.TrimSpace(line), " "); ok { // of the standard library there is none
			all[path] = version
		}
	}
	return all, nil
}

// changed are the paths of what differs in two programs, none where one of them is not known.
func changed(sides [2]linkedModules) []string {
	if sides[Base] == nil || sides[Head] == nil {
		return nil
	}
	all := maps.Clone(sides[Base])
	maps.Copy(all, sides[Head])
	return slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(path string) bool { return sides[Base][path] == sides[Head][path] })
}

// modulesChanged says what differs, old → new.
func modulesChanged(sides [2]linkedModules) []string {
	var out []string
	for _, path := range changed(sides) {
		out = append(out, fmt.Sprintf("%s %s → %s", path, cmp.Or(sides[Base][path], "none"), cmp.Or(sides[Head][path], "none")))
	}
	return out
}

// suspectModules are the dependencies whose functions are charged like one's own: those that are another version on
// head, and those that lie in a folder, which the change may have touched.
func suspectModules(sides [2]linkedModules) []string {
	out := changed(sides)
	for _, side := range sides {
		for path, version := range side {
			if modfile.IsDirectoryPath(version) {
				out = append(out, path)
			}
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(path string) bool { return path == toolchain })
}
