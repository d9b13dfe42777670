package config

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/org/perfgate/internal/suggest"
)

// maxFile bounds the configuration file: the YAML parser takes seconds for 10,000 brackets that are
// never closed, and the square of that for more.
const maxFile = 32 << 10

// Parse reads a configuration file. Unknown keys are errors with the line, the column and a suggestion.
func Parse(data []byte) (Values, error) {
	if len(data) > maxFile {
		at := Position{Line: 1 + bytes.Count(data[:maxFile], []byte("\n")), Column: 1}
		return nil, &Error{Place: at.place(), Msg: "the file is larger than 32 KiB"}
	}
	f, err := parser.ParseBytes(bytes.TrimPrefix(data, []byte("\ufeff")), 0)
	if err != nil {
		return nil, syntaxError(err)
	}
	values := Values{}
	var errs []error
	for _, doc := range f.Docs {
		pairs, err := mapping(doc.Body)
		if err != nil {
			return nil, err
		}
		for _, p := range pairs {
			errs = append(errs, values.add(p)...)
		}
	}
	return values, errors.Join(errs...)
}

// syntaxError puts the parser's error into one line that begins with the place.
func syntaxError(err error) error {
	var known interface {
		GetMessage() string
		GetToken() *token.Token
	}
	at, msg := Position{1, 1}, err.Error()
	if errors.As(err, &known) {
		at, msg = positionOf(known.GetToken()), known.GetMessage()
	}
	return &Error{Place: at.place(), Msg: msg}
}

// mapping returns the pairs of keys and values of a node.
func mapping(n ast.Node) ([]*ast.MappingValueNode, error) {
	switch n := n.(type) {
	case nil, *ast.NullNode, *ast.CommentGroupNode:
		return nil, nil
	case *ast.MappingNode:
		return n.Values, nil
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, nil
	}
	return nil, &Error{Place: position(n).place(), Msg: "want lines of the form key: value"}
}

// position is where a node begins.
func position(n ast.Node) Position { return positionOf(n.GetToken()) }

func positionOf(t *token.Token) Position {
	if t == nil || t.Position == nil {
		return Position{1, 1}
	}
	return Position{max(1, t.Position.Line), max(1, t.Position.Column)}
}

// add takes in one key with its value. The errors name all that is wrong with it.
func (v Values) add(p *ast.MappingValueNode) []error {
	name := p.Key.GetToken().Value
	at := position(p.Key)
	fail := func(format string, args ...any) []error {
		return []error{&Error{Place: at.place(), Msg: fmt.Sprintf(format, args...)}}
	}
	o, isOption := Find(name)
	section, isSection := findSection(name)
	if !isOption && !isSection {
		return fail("unknown key %q%s", name, suggest.Question(name, Names()))
	}
	if _, ok := v[name]; ok {
		return fail("key %q stands twice", name)
	}
	value := Value{Position: at}
	if isSection {
		entries, errs := section.parse(p.Value)
		value.Entries = entries
		v[name] = value
		return errs
	}
	read := scalar
	if o.Repeat {
		read = scalars
	}
	texts, err := read(p.Value)
	if err != nil {
		return fail("%s: %v", name, err)
	}
	value.Texts = texts
	v[name] = value
	return nil
}

// scalar is scalars where a list is an error.
func scalar(n ast.Node) ([]string, error) {
	texts, err := scalars(n)
	if _, list := n.(*ast.SequenceNode); err == nil && list {
		err = errors.New("want one value, not a list")
	}
	return texts, err
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
