package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "rewrite generated documentation")

const schemaFile = "../../docs/perfgate.schema.json"

type object = map[string]any

// schema describes the configuration file for editors.
func schema() object {
	properties := object{}
	for _, o := range Options {
		p := kind(o.Arg)
		if o.Choices != nil {
			p = object{"enum": o.Choices}
		}
		if o.Repeat {
			p = object{"anyOf": []any{p, object{"type": "array", "items": p}}}
		}
		p["description"] = o.Usage
		if o.Default != "" {
			p["description"] = o.Usage + " (default " + o.Default + ")"
		}
		properties[o.Name] = p
	}
	for _, s := range Sections {
		fields, required := object{}, []string{}
		for _, f := range s.Fields {
			p := kind(f.Arg)
			if f.Repeat {
				p = object{"anyOf": []any{p, object{"type": "array", "items": p}}}
			}
			p["description"] = strings.ReplaceAll(f.Usage, "`", "")
			fields[f.Name] = p
			if f.Required {
				required = append(required, f.Name)
			}
		}
		properties[s.Name] = object{"description": s.Usage, "type": "array",
			"items": object{"type": "object", "properties": fields, "required": required, "additionalProperties": false}}
	}
	return object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": File,
		"type": []string{"object", "null"}, "properties": properties, "additionalProperties": false,
	}
}

// kind is the type of a value by its name in the documentation.
func kind(arg string) object {
	switch arg {
	case "":
		return object{"type": "boolean"}
	case "PERCENT", "VALUE", "DURATION", "N", "DELAY", "NUMBER":
		return object{"type": []string{"string", "number"}}
	case "DATE":
		return object{"type": "string", "pattern": `^\d{4}-\d\d-\d\d$`}
	}
	return object{"type": "string"}
}

// TestSchema: the published schema is that of the tables.
func TestSchema(t *testing.T) {
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(schema()); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaFile, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatalf("%v; run go test ./internal/config -update", err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("%s is stale; run go test ./internal/config -update (-want +got):\n%s", schemaFile, diff)
	}
}

// TestSchemaAgrees: what the schema says of a file, the loader says too.
func TestSchemaAgrees(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	s, err := compiler.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	for text, good := range map[string]bool{
		"":                                     true,
		"base: main\nbudget: 90\neffect: 5%\n": true,
		"packages: [./a, ./b]\nstrict: true\n": true,
		"packages: ./a\nseed: 7\nmetrics: exact\n":                                                  true,
		"budgets:\n- {benchmark: X, metric: allocs/op, max: 3}\n":                                   true,
		"policies:\n- {benchmark: X, ignore: true}\n":                                               true,
		"waivers:\n- {benchmark: X, metric: B/op, max: 64 KiB, reason: why, expires: 2027-01-01}\n": true,
		"load:\n- {name: a, target: command, program: [./a, -x], runs: 20, llm-latency: 0.1}\n":     true,
		"load:\n- {name: a, target: command, sweep: 1}\n":                                           false,
		"bugdet: 5m\n":                         false,
		"metrics: some\n":                      false,
		"budget: [1m, 2m]\n":                   false,
		"base: {ref: main}\n":                  false,
		"budgets: 5\n":                         false,
		"budgets:\n- {benchmark: X, max: 3}\n": false,
		"budgets:\n- {benchmark: X, metric: allocs/op, maxx: 3}\n":                                false,
		"policies:\n- {benchmark: X, ignore: perhaps}\n":                                          false,
		"waivers:\n- {benchmark: X, metric: B/op, max: 64 KiB, reason: why, expires: tomorrow}\n": false,
		"waivers:\n- {benchmark: X, metric: B/op, max: 64 KiB, expires: 2027-01-01}\n":            false,
	} {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(jsonable(t, v)); (err == nil) != good {
			t.Errorf("%q: the schema says %v", text, err)
		}
		if _, err := resolveFile(text); (err == nil) != good {
			t.Errorf("%q: the loader says %v", text, err)
		}
	}
}

// jsonable turns what YAML holds into what JSON does.
func jsonable(t *testing.T, v any) any {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
