package result

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaFile describes what Write writes, for editors and for programs in other languages.
const schemaFile = "../../docs/result.schema.json"

// TestSchema: the published JSON Schema is that of the Go types, with their comments. Go test -update
// rewrites it.
func TestSchema(t *testing.T) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(schemaOf(t)); err != nil {
		t.Fatal(err)
	}
	golden(t, schemaFile, b.Bytes())
}

// schemaOf reflects File. A Metric is described as it is written: in columns.
func schemaOf(t *testing.T) *jsonschema.Schema {
	comments, enums := sourceOf(t)
	defs := jsonschema.Definitions{}
	r := &jsonschema.Reflector{
		ExpandedStruct: true, CommentMap: comments,
		Namer: func(t reflect.Type) string {
			return map[reflect.Type]string{reflect.TypeFor[metricJSON](): "Metric", reflect.TypeFor[columns](): "Columns"}[t]
		},
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			ref := &jsonschema.Schema{Ref: "#/$defs/" + t.Name()}
			if t == reflect.TypeFor[Metric]() {
				return ref
			}
			if values := enums[t.Name()]; t.PkgPath() == pkgPath && values != nil {
				defs[t.Name()] = &jsonschema.Schema{Type: "string", Enum: values, Description: comments[pkgPath+"."+t.Name()]}
				return ref
			}
			return nil
		},
	}
	s, metric := r.Reflect(&File{}), r.Reflect(&metricJSON{})
	for name, def := range metric.Definitions {
		defs[name] = def
	}
	for name, def := range s.Definitions {
		defs[name] = def
	}
	metric.Version, metric.ID, metric.Definitions, metric.Description = "", "", nil, comments[pkgPath+".Metric"]
	defs["Metric"], s.Definitions = metric, defs
	s.ID = "https://raw.githubusercontent.com/org/perfgate/main/docs/result.schema.json"
	s.Title = "perfgate's latest.json and baseline.json"

	property := func(s *jsonschema.Schema, name string) *jsonschema.Schema {
		p, ok := s.Properties.Get(name)
		if !ok {
			t.Fatalf("no property %s", name)
		}
		return p
	}
	property(s, "schema_version").Const = Schema
	property(s, "sha256").Pattern = "^[0-9a-f]{64}$"
	// A Set without benchmarks is written with null.
	list := *property(defs["Set"], "benchmarks")
	*property(defs["Set"], "benchmarks") = jsonschema.Schema{OneOf: []*jsonschema.Schema{&list, {Type: "null"}}}
	return s
}

var pkgPath = reflect.TypeFor[File]().PkgPath()

// sourceOf reads what only the source says: the comments on types and fields, also of those that are not
// exported, and the constants of each type of text.
func sourceOf(t *testing.T) (comments map[string]string, enums map[string][]any) {
	comments, enums = map[string]string{}, map[string][]any{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	put := func(name string, groups ...*ast.CommentGroup) {
		for _, g := range groups {
			if text := strings.Join(strings.Fields(g.Text()), " "); text != "" {
				comments[pkgPath+"."+name] = text
			}
		}
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		var group *ast.GenDecl
		typ := ""
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GenDecl:
				group = n
			case *ast.TypeSpec:
				typ = n.Name.Name
				put(typ, group.Doc, n.Doc)
			case *ast.Field:
				for _, name := range n.Names {
					put(typ+"."+name.Name, n.Comment, n.Doc)
				}
			case *ast.ValueSpec:
				of, ok := n.Type.(*ast.Ident)
				for _, v := range n.Values {
					if lit, text := v.(*ast.BasicLit); ok && text && group.Tok == token.CONST && lit.Value != `""` { // which is not written
						enums[of.Name] = append(enums[of.Name], strings.Trim(lit.Value, `"`))
					}
				}
			}
			return true
		})
	}
	return comments, enums
}

// TestSchemaAccepts what perfgate wrote, today and before.
func TestSchemaAccepts(t *testing.T) {
	s := published(t)
	files := map[string][]byte{
		"full":       written(t, full()),
		"small":      written(t, &File{Tool: Tool{Name: "perfgate"}, GeneratedAt: time.Unix(1, 0).UTC(), Head: &Set{}}),
		"unmeasured": written(t, &File{Tool: Tool{Name: "perfgate"}, GeneratedAt: time.Unix(1, 0), Head: &Set{Benchmarks: []*Benchmark{{Name: "X", Status: OK, Metrics: []*Metric{{Unit: UnitOf("sec/op")}}}}}}),
	}
	stored, err := filepath.Glob("../compare/testdata/runs/*.json")
	if err != nil || len(stored) == 0 {
		t.Fatalf("no stored runs: %v", err)
	}
	for _, name := range append(stored, "../../perf_reports/baseline.json", "testdata/schema2.golden") {
		if files[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range files {
		if err := validate(t, s, data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFull: the file with everything set has everything that the schema knows.
func TestFull(t *testing.T) {
	text := string(written(t, full()))
	s := schemaOf(t)
	for name, def := range s.Definitions {
		for p := def.Properties.Oldest(); p != nil; p = p.Next() {
			if !strings.Contains(text, `"`+p.Key+`": `) {
				t.Errorf("%s has no %s", name, p.Key)
			}
		}
	}
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		if !strings.Contains(text, `"`+p.Key+`": `) {
			t.Errorf("the file has no %s", p.Key)
		}
	}
}

// TestSchemaRefuses what Read refuses, as far as a schema can.
func TestSchemaRefuses(t *testing.T) {
	s := published(t)
	tests := []struct{ name, old, new, want string }{
		{"unknown field of the file", `"seed": `, `"sead": 7, "seed": `, "additional properties 'sead' not allowed"},
		{"unknown field", `"dirty"`, `"filthy"`, "additional properties 'filthy' not allowed"},
		{"unknown field of a metric", `"values"`, `"numbers"`, "additional properties 'numbers' not allowed"},
		{"unknown field of the second stage", `"confirm": {`, `"confirm": {"better": "lower", `, "additional properties 'better' not allowed"},
		{"text for a number", `"seed": 4503599627370496`, `"seed": "7"`, "at '/seed': got string, want integer"},
		{"text for a value", "0.00000125", `"fast"`, "got string, want number"},
		{"text for a metric", "\"metrics\": [\n     {", "\"metrics\": [\n     \"x\", {", "got string, want object"},
		{"other schema", `"schema_version": 2`, `"schema_version": 3`, "at '/schema_version': value must be 2"},
		{"no direction", `"better": "higher"`, `"better": "louder"`, "value must be one of 'lower', 'higher'"},
		{"no status", `"failed"`, `"unwell"`, "value must be one of 'ok', 'failed'"},
		{"no pairing", `"pairing": "passes"`, `"pairing": "guessed"`, "at '/pairing'"},
		{"no time", `2026-09-01T12:30:00Z`, `yesterday`, "is not valid date-time"},
		{"no hash", `"sha256": "`, `"sha256": "x`, "at '/sha256'"},
		{"no head", `"head": {`, `"baseline": {`, "missing property 'head'"},
	}
	for _, tt := range tests {
		if err := validate(t, s, edited(t, tt.old, tt.new)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error with %q", tt.name, err, tt.want)
		}
	}
	schema1, err := os.ReadFile("testdata/schema1.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, s, schema1); err == nil {
		t.Error("a file of schema 1 passes for one of schema 2")
	}
}

// published compiles the schema as it stands in the documentation.
func published(t *testing.T) *validator.Schema {
	t.Helper()
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := validator.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := validator.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("result.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("result.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *validator.Schema, data []byte) error {
	t.Helper()
	doc, err := validator.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}
