package config

// Scenario is a program under load, or one that is timed.
type Scenario struct {
	Position
	Name string
	// Program are the program to start and its arguments.
	Program []string
	// Settings are the texts of the other keys.
	Settings map[string]Text
}

// loadFields are the keys of a program under load. Apart from the first two they are flags of perfgate load, whose
// forms and defaults they have.
var loadFields = []Field{
	{Name: "name", Arg: "NAME", Required: true, Usage: "what the rows are called"},
	{Name: "program", Arg: "LIST", Repeat: true, Usage: "the program to start in each tree, and its arguments; `prepare` may build it"},
	{Name: "target", Arg: "TARGET", Required: true, Usage: "`command` (the program once a run), the URL that the program serves, or `pipeline`, which is built in"},
	{Name: "runs", Arg: "N", Usage: "runs in a sample"},
	{Name: "concurrency", Arg: "N", Usage: "workers"},
	{Name: "chunks", Arg: "N", Usage: "blocks of runs"},
	{Name: "pause", Arg: "DURATION", Usage: "between two blocks"},
	{Name: "think", Arg: "DURATION", Usage: "between two runs of a worker"},
	{Name: "rate", Arg: "RATE", Usage: "start runs by the clock, such as `200/s`, in place of workers"},
	{Name: "arrival", Arg: "DISTRIBUTION", Usage: "of the runs about the rate"},
	{Name: "ramp", Arg: "RATE", Usage: "a rate that moves, such as `10..200/s`"},
	{Name: "stages", Arg: "LIST", Usage: "rates one after the other, such as `10/s:30s,10..200/s:1m`"},
	{Name: "burst", Arg: "BURST", Usage: "so many runs at the same moment, such as `50@1s`"},
	{Name: "replay", Arg: "FILE", Usage: "start runs at recorded times; relative to the project's root"},
	{Name: "duration", Arg: "DURATION", Usage: "of a rate, a ramp or bursts"},
	{Name: "max-inflight", Arg: "N", Usage: "runs of a rate that may be under way at once"},
	{Name: "grace", Arg: "DURATION", Usage: "that runs of a rate may take beyond its end"},
	{Name: "timeout", Arg: "DURATION", Usage: "of one run"},
	{Name: "warmup", Arg: "N", Usage: "runs before the first that counts"},
	{Name: "llm-latency", Arg: "DELAY", Usage: "of the mocked model's first token, such as `80ms` or `lognormal:p50=80ms,p99=300ms`"},
	{Name: "itl", Arg: "DELAY", Usage: "of each further token"},
	{Name: "tokens", Arg: "NUMBER", Usage: "of tokens in an answer"},
	{Name: "prefill", Arg: "DELAY", Usage: "of the first token, by each token of the request"},
	{Name: "prompt-cache", Arg: "SCOPE", Usage: "of a cache of how requests begin: `off`, `run` or `shared`"},
	{Name: "limits", Arg: "LIMIT", Repeat: true, Usage: "of requests and tokens a minute, such as `requests=60`"},
	{Name: "faults", Arg: "FAULT", Repeat: true, Usage: "what goes wrong, such as `429:rate=5%`"},
	{Name: "script", Arg: "FILE", Usage: "what the mocked model answers, how fast, and what goes wrong; relative to the project's root"},
	{Name: "method", Arg: "METHOD", Usage: "of requests"},
	{Name: "header", Arg: "LINE", Repeat: true, Usage: "of requests"},
	{Name: "body", Arg: "TEXT", Usage: "of requests"},
	{Name: "health", Arg: "URL", Usage: "that answers 2xx when the server is ready"},
	{Name: "pprof", Arg: "URL", Usage: "where the server has net/http/pprof, or a path such as `/debug/pprof` on the target, for [why it got slower](why.md#programs-under-load)"},
	{Name: "wait", Arg: "DURATION", Usage: "that the server may take to be ready"},
	{Name: "tasks", Arg: "N", Usage: "different tasks of the pipeline"},
	{Name: "clock", Arg: "CLOCK", Usage: "`real`, or `virtual` for the pipeline"},
	{Name: "goodput", Arg: "LIMITS", Usage: "count runs within limits, such as `ttft:100ms,e2e:1s`"},
	{Name: "price", Arg: "PRICE", Repeat: true, Usage: "of a million tokens of a model: `MODEL=INPUT/OUTPUT`"},
}

func addLoad(c *Config, e *entry) { c.Load = append(c.Load, e.scenario(c.Load)) }

// Wrong is the error of a setting that is not what its flag takes.
func (s Scenario) Wrong(name, msg string) error {
	at := s.Position
	if t, ok := s.Settings[name]; ok {
		at = t.Position
	}
	return &Error{Place: at.place(), Msg: name + " of " + s.Name + ": " + msg}
}
