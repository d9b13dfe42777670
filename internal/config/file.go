package config

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/agnivade/levenshtein"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFile bounds the configuration file: the YAML parser takes seconds for 10,000 brackets that are
// never closed, and the square of that for more.
const maxFile = 32 << 10

// Parse reads a configuration file. Unknown keys are errors with the line and a suggestion.
func Parse(data []byte) (Values, error) {
	if len(data) > maxFile {
		return nil, &Error{Place: File + ":", Msg: "larger than 32 KiB"}
	}
	f, err := parser.ParseBytes(bytes.TrimPrefix(data, []byte("\ufeff")), 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", File, err)
	}
	values := Values{}
	var errs []error
	for _, doc := range f.Docs {
		pairs, err := mapping(doc.Body)
		if err != nil {
			return nil, err
		}
		for _, p := range pairs {
			if err := values.add(p); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return values, errors.Join(errs...)
}

func mapping(n ast.Node) ([]*ast.MappingValueNode, error) {
	switch n := n.(type) {
	case nil, *ast.NullNode, *ast.CommentGroupNode:
		return nil, nil
	case *ast.MappingNode:
		return n.Values, nil
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, nil
	}
	return nil, &Error{Place: fmt.Sprintf("%s:%d:", File, line(n)), Msg: "want lines of the form key: value"}
}

func line(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

func (v Values) add(p *ast.MappingValueNode) error {
	name := p.Key.GetToken().Value
	at := line(p.Key)
	place := fmt.Sprintf("%s:%d:", File, at)
	o, ok := Find(name)
	if !ok {
		return &Error{Place: place, Msg: fmt.Sprintf("unknown key %q%s", name, Suggest(name))}
	}
	if _, ok := v[name]; ok {
		return &Error{Place: place, Msg: fmt.Sprintf("key %q stands twice", name)}
	}
	texts, err := scalars(p.Value)
	if err != nil {
		return &Error{Place: place, Msg: fmt.Sprintf("%s: %v", name, err)}
	}
	if _, list := p.Value.(*ast.SequenceNode); list && !o.Repeat {
		return &Error{Place: place, Msg: name + ": want one value, not a list"}
	}
	v[name] = Value{Texts: texts, Line: at}
	return nil
}

// scalars returns the text of a scalar, or of each scalar of a list.
func scalars(n ast.Node) ([]string, error) {
	switch n := n.(type) {
	case *ast.SequenceNode:
		var texts []string
		for _, item := range n.Values {
			t, err := scalars(item)
			if err != nil {
				return nil, err
			}
			texts = append(texts, t...)
		}
		return texts, nil
	case *ast.LiteralNode:
		return []string{n.Value.Value}, nil
	case *ast.StringNode:
		return []string{n.Value}, nil
	case *ast.NullNode:
		return nil, errors.New("has no value")
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return []string{n.GetToken().Value}, nil
	}
	return nil, errors.New("want a value or a list of values, without tags, anchors and aliases")
}

// Suggest returns a question that names the option most like name, empty where none is.
func Suggest(name string) string {
	best, distance := "", 4
	for _, o := range Options {
		if d := levenshtein.ComputeDistance(name, o.Name); d < distance && d < len(o.Name) {
			best, distance = o.Name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
