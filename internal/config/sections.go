package config

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/goccy/go-yaml/ast"
	"golang.org/x/perf/benchunit"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/suggest"
)

// Section is a key of the configuration file whose value is a list of entries. It stands in the file
// alone.
type Section struct {
	Name, Usage string
	Fields      []Field
	// Judges says that it decides what the outcome means: a pull request cannot change it for its own run.
	Judges bool

	add func(c *Config, e *entry)
}

// Field is a key of a section's entries.
type Field struct {
	Name string
	// Arg names the value in the documentation, empty for true and false.
	Arg      string
	Usage    string
	Required bool
	// Repeat says that the value may be a list.
	Repeat bool
}

// Fields that several sections have.
var (
	benchmarkField = Field{Name: "benchmark", Arg: "REGEXP", Required: true, Usage: "the benchmarks: matches the name with or without “Benchmark”, or package.name"}
	maxField       = Field{Name: "max", Arg: "VALUE", Usage: "the largest value that is allowed, such as `250us`, `64 KiB`, `12`"}
	minField       = Field{Name: "min", Arg: "VALUE", Usage: "the smallest value that is allowed"}
)

// Sections is the one list of sections.
var Sections = []Section{
	{Name: "policies", Judges: true, Usage: "other rules for some benchmarks; of each rule the last entry that fits counts", add: addPolicy, Fields: []Field{
		benchmarkField,
		{Name: "metric", Arg: "UNIT", Usage: "one metric, such as `sec/op`; all without it"},
		{Name: "effect", Arg: "PERCENT", Usage: "the slowdown that must be caught, of metrics that vary"},
		{Name: "tolerance", Arg: "VALUE", Usage: "the rise that is accepted of an exact metric: `2%` of base, or `3`, `1 KiB` in its unit; `0` for none"},
		{Name: "ignore", Usage: "show the rows, and let none of them fail the gate"},
		{Name: "require", Usage: "fail where there is no benchmark of that name, or no verdict on its metric"},
	}},
	{Name: "budgets", Judges: true, Usage: "limits that hold whatever base has", add: addBudget, Fields: []Field{
		benchmarkField,
		{Name: "metric", Arg: "UNIT", Required: true, Usage: "the metric, such as `sec/op` or `allocs/op`"},
		maxField, minField,
		{Name: "relative-to", Arg: "NAME", Usage: "another benchmark of the package: the limits are on the ratio to it; `$1` is what the first parentheses of `benchmark` matched"},
	}},
	{Name: "waivers", Judges: true, Usage: "regressions that are accepted up to a limit and a date", add: addWaiver, Fields: []Field{
		benchmarkField,
		{Name: "metric", Arg: "UNIT", Required: true, Usage: "the metric, such as `sec/op` or `allocs/op`"},
		maxField, minField,
		{Name: "reason", Arg: "TEXT", Required: true, Usage: "why; it is printed with every run"},
		{Name: "expires", Arg: "DATE", Required: true, Usage: "the last day on which it holds, such as `2027-03-01`; later the gate fails until it is removed"},
	}},
	{Name: "load", Usage: "programs that are put under load, with a mocked model; the keys but for name and program are the flags of `perfgate load`", add: addLoad, Fields: loadFields},
	{Name: "command", Usage: "commands that are timed as benchmarks are; the keys but for name and program are flags of `perfgate startup`", Fields: commandFields,
		add: addPrograms(func(c *Config) *[]Scenario { return &c.Commands })},
	{Name: "startup", Usage: "programs whose start is timed; the keys but for name and program are flags of `perfgate startup`", Fields: startupFields,
		add: addPrograms(func(c *Config) *[]Scenario { return &c.Startup })},
}

func findSection(name string) (Section, bool) {
	for _, s := range Sections {
		if s.Name == name {
			return s, true
		}
	}
	return Section{}, false
}

// Entry is one of a section's list.
type Entry struct {
	Position
	Fields map[string]Text
}

// Text is a field's value as it stands in the file.
type Text struct {
	Position
	Text string
	// Texts are those of a list, or the one.
	Texts []string
}

// parse reads the section's list. The errors name all that is wrong with it.
func (s Section) parse(n ast.Node) (entries []Entry, errs []error) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return nil, []error{&Error{Place: position(n).place(), Msg: s.Name + ": want a list, each entry beginning with a dash"}}
	}
	for _, item := range list.Values {
		e := Entry{Position: position(item), Fields: map[string]Text{}}
		pairs, err := mapping(item)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if len(pairs) > 0 {
			e.Position = position(pairs[0].Key)
		}
		for _, p := range pairs {
			if err := s.field(e, p); err != nil {
				errs = append(errs, err)
			}
		}
		entries = append(entries, e)
	}
	return entries, errs
}

func (s Section) field(e Entry, p *ast.MappingValueNode) error {
	name, at := p.Key.GetToken().Value, position(p.Key)
	var names []string
	for _, f := range s.Fields {
		names = append(names, f.Name)
		if f.Name != name {
			continue
		}
		if _, ok := e.Fields[name]; ok {
			return &Error{Place: at.place(), Msg: fmt.Sprintf("key %q stands twice", name)}
		}
		read := scalar
		if f.Repeat {
			read = scalars
		}
		texts, err := read(p.Value)
		if err != nil {
			return &Error{Place: at.place(), Msg: fmt.Sprintf("%s: %v", name, err)}
		}
		e.Fields[name] = Text{Position: position(p.Value), Text: strings.TrimSpace(strings.Join(texts, " ")), Texts: texts}
		return nil
	}
	return &Error{Place: at.place(), Msg: fmt.Sprintf("unknown key %q of %s%s", name, s.Name, suggest.Question(name, names))}
}

// resolve checks the section's entries and puts them into c.
func (s Section) resolve(c *Config, file Values) (errs []error) {
	c.origins[s.Name] = FromDefault
	v, ok := file[s.Name]
	if !ok {
		return nil
	}
	c.origins[s.Name], c.values[s.Name] = FromFile, fmt.Sprintf("%d in the file", len(v.Entries))
	for _, in := range v.Entries {
		e := &entry{Entry: in}
		for _, f := range s.Fields {
			if t, ok := in.Fields[f.Name]; f.Required && (!ok || t.Text == "") {
				e.fail("", "an entry of %s without %s (%s)", s.Name, f.Name, f.Usage)
			}
		}
		if e.errs == nil {
			s.add(c, e)
		}
		errs = append(errs, e.errs...)
	}
	return errs
}

// entry is an Entry on its way into the configuration.
type entry struct {
	Entry
	errs []error
}

// fail notes what is wrong with a field, or with the entry where name is empty.
func (e *entry) fail(name, format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	at := e.Position
	if t, ok := e.Fields[name]; ok {
		at, msg = t.Position, fmt.Sprintf("%s %q: %s", name, t.Text, msg)
	}
	e.errs = append(e.errs, &Error{Place: at.place(), Msg: msg})
}

func (e *entry) text(name string) string { return e.Fields[name].Text }

func (e *entry) has(name string) bool { _, ok := e.Fields[name]; return ok }

func (e *entry) boolean(name string) *bool {
	if !e.has(name) {
		return nil
	}
	b, err := boolean(e.text(name))
	if err != nil {
		e.fail(name, "%v", err)
	}
	return &b
}

// subject reads which benchmarks and which metric the entry is about.
func (e *entry) subject() compare.Subject {
	s := compare.Subject{Benchmark: e.text("benchmark"), Metric: e.text("metric")}
	if _, err := regexp.Compile(s.Benchmark); err != nil {
		e.fail("benchmark", "%v", err)
	}
	if _, unit := benchunit.Tidy(1, s.Metric); unit != s.Metric {
		e.fail("metric", "metrics are in base units: want %s", unit)
	}
	return s
}

// limits reads max and min, of which there must be one.
func (e *entry) limits(s compare.Subject, ratio bool) (maximum, minimum *float64) {
	read := func(name string) *float64 {
		if !e.has(name) {
			return nil
		}
		parse := func(text string) (float64, error) { return quantity(s.Unit().Base(), text) }
		if ratio {
			parse = share
		}
		v, err := parse(e.text(name))
		if err != nil {
			e.fail(name, "%v", err)
		}
		return &v
	}
	maximum, minimum = read("max"), read("min")
	switch {
	case maximum == nil && minimum == nil:
		e.fail("", "an entry with neither max nor min: it limits nothing")
	case maximum != nil && minimum != nil && *maximum < *minimum:
		e.fail("max", "it is less than min")
	}
	return maximum, minimum
}

func addPolicy(c *Config, e *entry) {
	o := compare.Override{Subject: e.subject(), Ignore: e.boolean("ignore"), Require: e.boolean("require")}
	exact := o.Metric != "" && !o.Unit().Timing()
	if e.has("effect") {
		var err error
		if o.Effect, err = fraction(e.text("effect")); err != nil {
			e.fail("effect", "%v", err)
		}
		if o.Unit().Counted() {
			e.fail("effect", "%s is compared exactly; set its tolerance", o.Metric)
		}
	}
	if e.has("tolerance") {
		t, err := tolerance(o.Unit().Base(), e.text("tolerance"))
		if err != nil {
			e.fail("tolerance", "%v", err)
		}
		if !exact {
			e.fail("tolerance", "it is for exact metrics, such as metric: allocs/op; of a time set the effect")
		}
		o.Tolerance = &t
	}
	if !e.has("effect") && !e.has("tolerance") && !e.has("ignore") && !e.has("require") {
		e.fail("", "an entry without effect, tolerance, ignore and require: it says nothing")
	}
	c.Policies = append(c.Policies, o)
}

func addBudget(c *Config, e *entry) {
	b := compare.Budget{Subject: e.subject(), RelativeTo: e.text("relative-to")}
	b.Max, b.Min = e.limits(b.Subject, b.RelativeTo != "")
	c.Budgets = append(c.Budgets, b)
}

func addWaiver(c *Config, e *entry) {
	w := compare.Waiver{Subject: e.subject(), Reason: e.text("reason"), Expires: e.text("expires")}
	w.Max, w.Min = e.limits(w.Subject, false)
	if _, err := time.Parse(compare.DateFormat, w.Expires); err != nil {
		e.fail("expires", "want a date such as 2027-03-01")
	}
	c.Waivers = append(c.Waivers, w)
}

// tolerance reads a share of base, such as 2%, or a difference in the unit.
func tolerance(unit, text string) (compare.Tolerance, error) {
	if strings.HasSuffix(text, "%") {
		v, err := share(text)
		return compare.Tolerance{Relative: v}, err
	}
	v, err := quantity(unit, text)
	return compare.Tolerance{Absolute: v}, err
}

// quantity reads a value of a base unit: a duration, a size, or a number.
func quantity(unit, text string) (float64, error) {
	switch unit {
	case "sec":
		if digits, ok := strings.CutSuffix(text, "ns"); ok { // a Duration has no parts of one
			v, err := number(strings.TrimSpace(digits))
			return v * 1e-9, err
		}
		d, err := duration(text)
		return d.Seconds(), err
	case "B":
		n, err := humanize.ParseBytes(strings.TrimSuffix(text, "/s"))
		if err != nil {
			return 0, errors.New("want a size such as 4096 or 64 KiB")
		}
		return float64(n), nil
	}
	return number(text)
}

// share reads 20% or 0.2.
func share(text string) (float64, error) {
	digits, percent := strings.CutSuffix(text, "%")
	v, err := number(strings.TrimSpace(digits))
	if percent {
		v /= 100
	}
	return v, err
}

func number(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
		return 0, errors.New("want a number that is not negative")
	}
	return v, nil
}
