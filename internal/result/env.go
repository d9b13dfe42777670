package result

import "strconv"

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

// codeFields are the fields that decide what code runs; exact metrics depend on nothing else.
const codeFields = 3

// Differs names the fields in which e and o differ. Times may be compared only when it is empty.
func (e Env) Differs(o Env) []string { return differs(e.Fields(), o.Fields()) }

// DiffersInCode names the fields that decide exact metrics (Go version, OS, architecture) in
// which e and o differ.
func (e Env) DiffersInCode(o Env) []string {
	return differs(e.Fields()[:codeFields], o.Fields()[:codeFields])
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
