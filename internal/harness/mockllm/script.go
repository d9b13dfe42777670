package mockllm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/org/perfgate/internal/suggest"
)

// maxScript bounds a script: replies are texts, and what is larger is no script.
const maxScript = 1 << 20

// Script is what a file says of an upstream: how fast it is, what it answers, what goes wrong.
type Script struct {
	Model   // of models that are not named
	Models  map[string]Model
	Replies []Reply
	Faults  []Fault
	// Limits are those of all models together with those that name one: a call must fit into each.
	Limits      []Limit
	PromptCache PromptCache
	// Ignore are patterns of what makes no other question of a request, such as times and random identifiers.
	Ignore []*regexp.Regexp
	// Sum is the SHA-256, in hex, of the file that it was read from and of those that it names; empty for none.
	Sum string
}

// Reply is an answer to some calls, in place of invented words.
type Reply struct {
	Select
	Text string
	// Tool is the tool to call with those arguments, a JSON object, in place of the text.
	Tool      string
	Arguments json.RawMessage
}

// scriptFile is a script as it stands in the file. What is text here has a form of its own.
type scriptFile struct {
	Latency scriptModel            `yaml:"latency"`
	Models  map[string]scriptModel `yaml:"models"`
	Replies []scriptReply          `yaml:"replies"`
	Faults  []scriptFault          `yaml:"faults"`
	Limits  []scriptLimit          `yaml:"limits"`
	Cache   string                 `yaml:"prompt-cache"`
	Ignore  []string               `yaml:"ignore"`
}

type scriptModel struct {
	TTFT    string `yaml:"ttft"`
	ITL     string `yaml:"itl"`
	Tokens  string `yaml:"tokens"`
	Prefill string `yaml:"prefill"`
	Dribble string `yaml:"dribble"`
}

type scriptSelect struct {
	Route    string `yaml:"route"`
	Model    string `yaml:"model"`
	Contains string `yaml:"contains"`
	On       []int  `yaml:"on"`
}

type scriptReply struct {
	Select    scriptSelect   `yaml:",inline"`
	Text      string         `yaml:"text"`
	Tool      string         `yaml:"tool"`
	Arguments map[string]any `yaml:"arguments"`
}

type scriptFault struct {
	Select     scriptSelect `yaml:",inline"`
	Kind       string       `yaml:"kind"`
	Rate       string       `yaml:"rate"`
	Times      int          `yaml:"times"`
	After      int          `yaml:"after"`
	RetryAfter string       `yaml:"retry-after"`
	For        string       `yaml:"for"`
	Speed      int          `yaml:"speed"`
}

type scriptLimit struct {
	Model    string `yaml:"model"`
	Requests int    `yaml:"requests"`
	Tokens   int    `yaml:"tokens"`
	Burst    string `yaml:"burst"`
}

// scriptKeys are all keys of a script, for suggestions: those of entries, then those of the file, which of
// two that are equally near is the less likely one.
var scriptKeys = []string{
	"ttft", "itl", "tokens", "prefill", "dribble", "route", "model", "contains", "on", "text", "tool", "arguments",
	"kind", "rate", "times", "after", "retry-after", "for", "speed", "requests", "burst",
	"latency", "models", "replies", "faults", "limits", "prompt-cache", "ignore",
}

// ReadScriptFile reads a script from a file with read, which decides what may be read. Files that the script
// names lie beside it.
func ReadScriptFile(name string, read func(string) ([]byte, error)) (*Script, error) {
	data, err := read(name)
	if err != nil {
		return nil, err
	}
	return ReadScript(name, data, func(other string) ([]byte, error) {
		if !filepath.IsAbs(other) {
			other = filepath.Join(filepath.Dir(name), other)
		}
		return read(other)
	})
}

// ReadScript reads a script, YAML or JSON. The errors begin with the name and, where it is known, the
// line and the column. Files that it names are read by readFile.
func ReadScript(name string, data []byte, readFile func(name string) ([]byte, error)) (*Script, error) {
	if len(data) > maxScript {
		return nil, fmt.Errorf("%s: larger than %d bytes", name, maxScript)
	}
	var file scriptFile
	d := yaml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))), yaml.DisallowUnknownField())
	if err := d.Decode(&file); err != nil && !errors.Is(err, io.EOF) { // a file that says nothing
		return nil, scriptError(name, err)
	}
	sum := sha256.New()
	sum.Write(data)
	s, path, err := file.script(func(other string) ([]byte, error) {
		if readFile == nil {
			return nil, fmt.Errorf("%s: no file can be read here", other)
		}
		data, err := readFile(other)
		fmt.Fprintf(sum, "\x00%d\x00%s", len(data), data)
		return data, err
	})
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, lineOf(data, path), err)
	}
	s.Sum = hex.EncodeToString(sum.Sum(nil))
	return s, nil
}

// lineOf is the line of the value that a path leads to, 1 where it leads nowhere.
func lineOf(data []byte, path *yaml.PathBuilder) int {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return 1
	}
	node, err := path.Build().FilterFile(file)
	if err != nil || node.GetToken() == nil {
		return 1
	}
	return node.GetToken().Position.Line
}

// scriptError puts the place first and, where a key is unknown, the nearest one last.
func scriptError(name string, err error) error {
	var placed interface {
		GetMessage() string
		GetToken() *token.Token
	}
	if !errors.As(err, &placed) || placed.GetToken() == nil || placed.GetToken().Position == nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	t, msg := placed.GetToken(), placed.GetMessage()
	if errors.As(err, new(*yaml.UnknownFieldError)) {
		msg = fmt.Sprintf("unknown key %q%s", t.Value, suggest.Question(t.Value, scriptKeys))
	}
	return fmt.Errorf("%s:%d:%d: %s", name, t.Position.Line, t.Position.Column, msg)
}

// script checks what the file says. An error comes with the path to what is wrong.
func (f *scriptFile) script(readFile func(string) ([]byte, error)) (s *Script, path *yaml.PathBuilder, err error) {
	s = &Script{Models: map[string]Model{}}
	at := func(key string) *yaml.PathBuilder { return new(yaml.PathBuilder).Root().Child(key) }
	if s.Model, err = f.Latency.model(readFile); err != nil {
		return nil, at("latency"), fmt.Errorf("latency: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Models)) {
		if s.Models[name], err = f.Models[name].model(readFile); err != nil {
			return nil, at("models").Child(name), fmt.Errorf("models: %s: %w", name, err)
		}
	}
	for i, r := range f.Replies {
		reply, err := r.reply()
		if err != nil {
			return nil, at("replies").Index(uint(i)), fmt.Errorf("replies: number %d: %w", i+1, err)
		}
		s.Replies = append(s.Replies, reply)
	}
	for i, r := range f.Faults {
		fault, err := r.fault()
		if err != nil {
			return nil, at("faults").Index(uint(i)), fmt.Errorf("faults: number %d: %w", i+1, err)
		}
		s.Faults = append(s.Faults, fault)
	}
	for i, l := range f.Limits {
		limit, err := l.limit()
		if err != nil {
			return nil, at("limits").Index(uint(i)), fmt.Errorf("limits: number %d: %w", i+1, err)
		}
		s.Limits = append(s.Limits, limit)
	}
	if s.PromptCache, err = ParsePromptCache(f.Cache); err != nil {
		return nil, at("prompt-cache"), fmt.Errorf("prompt-cache: %w", err)
	}
	for i, text := range f.Ignore {
		pattern, err := regexp.Compile(text)
		if err != nil {
			return nil, at("ignore").Index(uint(i)), fmt.Errorf("ignore: number %d: %q is no regular expression: %w", i+1, text, err)
		}
		s.Ignore = append(s.Ignore, pattern)
	}
	return s, nil, nil
}

func (m scriptModel) model(readFile func(string) ([]byte, error)) (model Model, err error) {
	for _, p := range [][2]string{{"ttft", m.TTFT}, {"itl", m.ITL}, {"tokens", m.Tokens}, {"prefill", m.Prefill}, {"dribble", m.Dribble}} {
		if p[1] == "" {
			continue
		}
		if err := model.Set(p[0], p[1], readFile); err != nil {
			return model, fmt.Errorf("%s: %w", p[0], err)
		}
	}
	return model, nil
}

func (r scriptReply) reply() (Reply, error) {
	reply := Reply{Select: Select(r.Select), Text: r.Text, Tool: r.Tool}
	switch {
	case (r.Text == "") == (r.Tool == ""):
		return reply, errors.New("want either text or tool")
	case r.Tool == "" && r.Arguments != nil:
		return reply, errors.New("arguments are those of a tool: say which")
	case r.Tool != "":
		if r.Arguments == nil {
			r.Arguments = map[string]any{}
		}
		var err error
		if reply.Arguments, err = json.Marshal(r.Arguments); err != nil {
			return reply, fmt.Errorf("arguments: %w", err)
		}
	}
	return reply, reply.check()
}

func (r scriptFault) fault() (Fault, error) {
	f := Fault{Kind: r.Kind, Select: Select(r.Select), Times: r.Times, After: r.After, Speed: r.Speed}
	for _, field := range [][2]string{{"rate", r.Rate}, {"retry-after", r.RetryAfter}, {"for", r.For}} {
		if field[1] == "" {
			continue
		}
		if err := f.set(field[0], field[1]); err != nil {
			return f, err
		}
	}
	return f, f.check()
}

func (r scriptLimit) limit() (l Limit, err error) {
	l = Limit{Model: r.Model, Requests: r.Requests, Tokens: r.Tokens}
	if r.Burst != "" {
		if l.Burst, err = wait(r.Burst); err != nil {
			return l, fmt.Errorf("burst: %w", err)
		}
	}
	return l, l.check()
}
