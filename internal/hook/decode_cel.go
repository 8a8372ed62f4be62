package hook

import (
	"bytes"
	"errors"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/expression"
	"github.com/pawlhq/pawl/internal/sender"
)

// when reads a condition.
func (r *reader) when(f field) *expression.Program {
	text := r.text(f)
	if strings.TrimSpace(text) == "" {
		if f.value.Kind == yaml.ScalarNode {
			r.wrong(f.value, "when is an expression that is true or false, as in payload.ref == \"refs/heads/main\"")
		}
		return nil
	}
	program, errs := r.compiled(conditions, text, expression.Condition)
	if r.expressionErrors(f.value, errs) {
		return nil
	}
	if program.UsesElement() {
		r.elements = append(r.elements, elementUse{f.value, "when names element, which"})
	}
	return program
}

// computation compiles the expression of a value of source cel.
func (r *reader) computation(ref delivery.Ref, name *yaml.Node) {
	r.own = true
	if strings.TrimSpace(ref.Name) == "" {
		r.wrong(name, `source cel needs an expression as its name, as in name: '"v" + payload.version'`)
		return
	}
	program, errs := r.compiled(computations, ref.Name, expression.Computation)
	if r.expressionErrors(name, errs) {
		return
	}
	if program.UsesElement() {
		r.element(name, "the expression names element, which")
	}
	if r.expressions == nil {
		r.expressions = expression.Set{}
	}
	r.expressions[ref.Name] = program
}

// compilation is what came of an expression. A text that stands in a file many
// times, by aliases as a rule, is compiled once.
type compilation struct {
	program *expression.Program
	errs    []*expression.SyntaxError
}

// expressionKind is what an expression is for.
type expressionKind int

const (
	conditions expressionKind = iota
	computations
)

// written is an expression as a hook file has it.
type written struct {
	kind expressionKind
	text string
}

func (r *reader) compiled(kind expressionKind, text string, compile func(string) (*expression.Program, []*expression.SyntaxError)) (*expression.Program, []*expression.SyntaxError) {
	at := written{kind, text}
	known, ok := r.compilations[at]
	if !ok {
		known.program, known.errs = compile(text)
		if r.compilations == nil {
			r.compilations = map[written]compilation{}
		}
		r.compilations[at] = known
	}
	return known.program, known.errs
}

// expressionErrors tells what is wrong with an expression, where it is wrong. It
// reports whether anything is.
func (r *reader) expressionErrors(node *yaml.Node, errs []*expression.SyntaxError) bool {
	for _, err := range errs {
		if column, ok := r.inScalar(node, err.Line, err.Column); ok {
			r.wrong(&yaml.Node{Line: node.Line, Column: column}, "%s: %s", r.key, err.Text)
		} else {
			r.wrong(node, "%s: %v", r.key, err)
		}
	}
	return len(errs) > 0
}

// inScalar gives the column of the file where a place in a scalar's text stands.
// It is known of a scalar on one line whose text until there is written as it is.
func (r *reader) inScalar(node *yaml.Node, line, column int) (int, bool) {
	if line != 1 || column < 1 || node.Kind != yaml.ScalarNode || node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return 0, false
	}
	start := node.Column
	if node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		start++
	}
	if r.lines == nil {
		r.lines = bytes.Split(r.parsed, []byte("\n"))
	}
	if node.Line < 1 || node.Line > len(r.lines) {
		return 0, false
	}
	written := []rune(string(r.lines[node.Line-1]))
	before := []rune(node.Value)
	before = before[:min(column-1, len(before))]
	if start-1+len(before) > len(written) || string(written[start-1:start-1+len(before)]) != string(before) {
		return 0, false
	}
	return start + column - 1, true
}

func asConfigError(err error) (*sender.ConfigError, bool) {
	var of *sender.ConfigError
	ok := errors.As(err, &of)
	return of, ok
}
