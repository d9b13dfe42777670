package result

import (
	"go/version"
	"strconv"
	"strings"
)

// Env is the fingerprint of the machine and the toolchain that measured a Set.
type Env struct {
	Go         string `json:"go_version,omitempty"`
	GOOS       string `json:"goos,omitempty"`
	GOARCH     string `json:"goarch,omitempty"`
	CPU        string `json:"cpu_model,omitempty"`
	Cores      int    `json:"cores,omitempty"`
	GOMAXPROCS int    `json:"gomaxprocs,omitempty"`
	Kernel     string `json:"kernel,omitempty"`
	// Flags are the build flags and Go variables that change the code or its runtime.
	Flags string `json:"flags,omitempty"`
	// Counter is what counted instructions. It does not touch times.
	Counter string `json:"instruction_counter,omitempty"`
	// Covered are the patterns of packages whose statements count beside those of the main modules. They
	// touch nothing else.
	Covered string `json:"covered_packages,omitempty"`
}

// EnvField is one line of a fingerprint.
type EnvField struct{ Name, Value string }

// Fields lists the fingerprint in the order of display.
func (e Env) Fields() []EnvField {
	num := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	return []EnvField{
		{"Go version", e.Go},
		{"OS", e.GOOS},
		{"architecture", e.GOARCH},
		{"CPU model", e.CPU},
		{"cores", num(e.Cores)},
		{"GOMAXPROCS", num(e.GOMAXPROCS)},
		{"kernel", e.Kernel},
		{"flags", e.Flags},
	}
}

// Differs names the fields in which e and o differ. Times may be compared only when it is empty.
func (e Env) Differs(o Env) []string { return differs(e.Fields(), o.Fields()) }

// DiffersInCode names what decides exact metrics (Go's minor version, OS, architecture, build tags) and
// differs between e and o.
func (e Env) DiffersInCode(o Env) []string { return differs(e.code(), o.code()) }

// DiffersInCounts names what decides an exact metric of that unit and differs between e and o. Beside the code,
// statements need the same packages that count, and instructions all that a patch version of Go brings and
// chooses for a processor.
func (e Env) DiffersInCounts(o Env, unit string) []string {
	switch unit {
	case Statements:
		return differs(append(e.code(), EnvField{"covered packages", e.Covered}), append(o.code(), EnvField{"covered packages", o.Covered}))
	case Instructions:
		return differs(e.instructions(), o.instructions())
	}
	return e.DiffersInCode(o)
}

func (e Env) code() []EnvField {
	minor := e.Go
	if name, _, _ := strings.Cut(e.Go, " "); version.IsValid(name) { // "go1.26.1 X:experiment"
		minor = version.Lang(name)
	}
	var tags string
	for f := range strings.FieldsSeq(e.Flags) {
		if v, ok := strings.CutPrefix(f, "tags="); ok {
			tags = v
		}
	}
	return []EnvField{{"Go version", minor}, {"OS", e.GOOS}, {"architecture", e.GOARCH}, {"build tags", tags}}
}

func (e Env) instructions() []EnvField {
	return []EnvField{{"Go version", e.Go}, {"OS", e.GOOS}, {"architecture", e.GOARCH}, {"CPU model", e.CPU}, {"flags", e.Flags}, {"counter of instructions", e.Counter}}
}

func differs(a, b []EnvField) []string {
	var names []string
	for i := range a {
		if a[i].Value != b[i].Value {
			names = append(names, a[i].Name)
		}
	}
	return names
}
