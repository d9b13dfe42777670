package mockllm

import (
	"encoding/json"
	"strings"
)

// maxSchema bounds the values that are made for a schema, which may refer to itself.
const maxSchema = 1000

// sample is a value, as JSON, that a JSON schema accepts: the smallest that comes to mind, with what is
// required alone. What has no schema gets an empty object.
func sample(schema json.RawMessage) string {
	s := sampler{left: maxSchema}
	if json.Unmarshal(schema, &s.root) != nil || s.root == nil {
		return "{}"
	}
	value, err := json.Marshal(s.value(s.root))
	if err != nil {
		return "{}"
	}
	return string(value)
}

type sampler struct {
	root any
	left int // values that may still be made
}

func (s *sampler) value(node any) any {
	schema, ok := node.(map[string]any)
	if s.left--; !ok || s.left < 0 {
		return nil
	}
	if ref, ok := schema["$ref"].(string); ok {
		return s.value(s.resolve(ref))
	}
	if value, ok := schema["const"]; ok {
		return value
	}
	for _, key := range []string{"enum", "anyOf", "oneOf", "allOf"} {
		if options, ok := schema[key].([]any); ok && len(options) > 0 {
			if key == "enum" {
				return options[0]
			}
			return s.value(options[0])
		}
	}
	return s.ofType(schema)
}

func (s *sampler) ofType(schema map[string]any) any {
	kind := schema["type"]
	if kinds, ok := kind.([]any); ok && len(kinds) > 0 {
		kind = kinds[0]
	}
	least := func(key string, otherwise float64) float64 {
		if n, ok := schema[key].(float64); ok {
			return n
		}
		return otherwise
	}
	switch kind {
	case "string":
		return "mock"
	case "number", "integer":
		return least("minimum", 1)
	case "boolean":
		return true
	case "null":
		return nil
	case "array":
		list := []any{}
		for n := least("minItems", 0); float64(len(list)) < n && s.left > 0; {
			list = append(list, s.value(schema["items"]))
		}
		return list
	}
	object := map[string]any{}
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if name, ok := name.(string); ok {
			object[name] = s.value(properties[name])
		}
	}
	return object
}

// resolve follows a reference such as #/$defs/name.
func (s *sampler) resolve(ref string) any {
	node := s.root
	path, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return node
	}
	for part := range strings.SplitSeq(path, "/") {
		object, _ := node.(map[string]any)
		node = object[part]
	}
	return node
}
