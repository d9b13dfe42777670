package config

// Fields of programs that are timed. Apart from the first two they are flags of perfgate startup, whose forms and
// defaults they have.
var (
	commandFields = []Field{
		{Name: "name", Arg: "NAME", Required: true, Usage: "what the rows are called"},
		{Name: "program", Arg: "LIST", Required: true, Repeat: true, Usage: "the program to run in each tree, and its arguments; the file's own `prepare` may build it"},
		{Name: "prepare", Arg: "SCRIPT", Usage: "shell script before each run, outside the clock"},
		{Name: "cleanup", Arg: "SCRIPT", Usage: "shell script after each run, outside the clock"},
		{Name: "warmup", Arg: "N", Usage: "runs before the first that counts"},
		{Name: "min-runs", Arg: "N", Usage: "of a side, before anything is concluded"},
		{Name: "max-runs", Arg: "N", Usage: "of a side in the first stage; without it as many as the verdict needs and the budget allows"},
		{Name: "time", Arg: "DURATION", Usage: "that the runs of a side should take together before anything is concluded"},
		{Name: "timeout", Arg: "DURATION", Usage: "when a run counts as hung"},
	}
	startupFields = append(commandFields[:len(commandFields):len(commandFields)],
		Field{Name: "until", Arg: "EVENT", Usage: "that ends the clock: `exit`, `output` (the first byte) or `ready`"},
		Field{Name: "ready", Arg: "ADDRESS", Usage: "HOST:PORT that takes a connection, or URL that answers 2xx, when it is ready"},
		Field{Name: "imports", Usage: "trace what Go and Python programs initialise, in runs of their own"},
	)
)

// addPrograms adds an entry of commands, or of programs whose start is timed.
func addPrograms(into func(*Config) *[]Scenario) func(*Config, *entry) {
	return func(c *Config, e *entry) {
		all := into(c)
		*all = append(*all, e.scenario(*all))
	}
}

// scenario reads an entry that has a name, a program, and settings that a command's flags understand.
func (e *entry) scenario(others []Scenario) Scenario {
	s := Scenario{Position: e.Position, Name: e.text("name"), Program: e.Fields["program"].Texts, Settings: map[string]Text{}}
	for _, other := range others {
		if other.Name == s.Name {
			e.fail("name", "another entry has it")
		}
	}
	for name, t := range e.Fields {
		if name != "name" && name != "program" {
			s.Settings[name] = t
		}
	}
	return s
}
