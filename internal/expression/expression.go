// Package expression holds expressions in CEL (https://cel.dev) about a
// delivery: conditions (when) and computed values (source cel).
//
// An expression is parsed and type-checked once, when its hook file is loaded;
// it may then be asked from any number of goroutines. What it may cost is
// bounded. It sees payload, headers, query, method, sender, event and element,
// and nothing else: no clock, no file, no network.
package expression

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/pawlhq/pawl/internal/delivery"
)

// Program is a compiled expression.
type Program struct {
	text    string
	ast     *cel.Ast
	program cel.Program
	names   names
}

// SyntaxError says where in its text an expression is wrong.
type SyntaxError struct {
	Line, Column int // in the text, from 1
	Text         string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s (line %d, column %d of the expression)", e.Text, e.Line, e.Column)
}

// Condition compiles an expression that is true or false.
func Condition(text string) (*Program, []*SyntaxError) {
	p, errs := compile(text)
	if p == nil {
		return nil, errs
	}
	switch is := p.ast.OutputType(); is.Kind() {
	case types.BoolKind, types.DynKind, types.AnyKind:
		return p, nil
	default:
		return nil, []*SyntaxError{{1, 1, "a condition is true or false, and this is " + kindName(is.String())}}
	}
}

// Computation compiles an expression whose value is a text, a number, a boolean,
// or anything that can be written as JSON.
func Computation(text string) (*Program, []*SyntaxError) {
	p, errs := compile(text)
	if p == nil {
		return nil, errs
	}
	if is := p.ast.OutputType(); is.Kind() == types.TypeKind {
		return nil, []*SyntaxError{{1, 1, "a type is no value: string(type(x)) is its name"}}
	}
	return p, nil
}

func compile(text string) (*Program, []*SyntaxError) {
	if strings.TrimSpace(text) == "" {
		return nil, []*SyntaxError{{1, 1, "the expression is empty"}}
	}
	env, err := environment()
	if err != nil {
		return nil, []*SyntaxError{{1, 1, err.Error()}}
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, syntaxErrors(text, issues)
	}
	program, err := env.Program(ast,
		cel.EvalOptions(cel.OptOptimize), // regular expressions are compiled once
		cel.CostTracking(work{}), cel.CostLimit(costLimit),
	)
	if err != nil {
		return nil, []*SyntaxError{{1, 1, err.Error()}}
	}
	return &Program{text: text, ast: ast, program: program, names: namesOf(ast)}, nil
}

// UsesElement reports whether the expression names element.
func (p *Program) UsesElement() bool { return p.names.element }

// UsesEvent reports whether the expression names event: no event type can be
// worked out of it.
func (p *Program) UsesEvent() bool { return p.names.event }

// Fields lists the names of payload values that the expression plainly names, as
// source payload spells them: a.b of payload.a.b, a.0 of payload.a[0].
func (p *Program) Fields() []string { return slices.Clone(p.names.fields) }

// String is the expression as written.
func (p *Program) String() string { return p.text }

// Holds asks a condition. The error says in words what keeps it from being told:
// a value that is not there, one of another type, a cost beyond the bound. No
// value of the delivery is in it.
func (p *Program) Holds(d *delivery.Delivery) (bool, error) {
	result, err := p.evaluate(d)
	if err != nil {
		return false, err
	}
	holds, ok := result.(types.Bool)
	if !ok {
		return false, fmt.Errorf("a condition is true or false, and this came to %s", kindName(result.Type().TypeName()))
	}
	return bool(holds), nil
}

// state is what expressions know of one delivery.
type state struct {
	payload ref.Val
	meter   meter
	cost    uint64 // of all evaluations so far
}

func stateOf(d *delivery.Delivery) *state {
	place := d.Workspace()
	if s, ok := (*place).(*state); ok {
		return s
	}
	s := &state{meter: meter{left: leastRead + readings*len(d.Body)}}
	*place = s
	return s
}

// payloadOf is the payload, which is read once; where there is none an object
// without members.
func (s *state) payloadOf(d *delivery.Delivery) ref.Val {
	if s.payload == nil {
		if node, ok := d.PayloadNode(); ok {
			s.payload = valueOf(node, &s.meter)
		} else {
			s.payload = &object{known: true, meter: &s.meter}
		}
	}
	return s.payload
}

func (p *Program) evaluate(d *delivery.Delivery) (ref.Val, error) {
	s := stateOf(d)
	if s.cost > totalCost {
		return nil, errCost
	}
	result, details, err := p.program.Eval(&activation{delivery: d, state: s})
	if details != nil && details.ActualCost() != nil {
		s.cost += *details.ActualCost()
	} else {
		s.cost += costLimit // it was not told
	}
	if err != nil {
		return nil, p.explain(err)
	}
	return result, nil
}

// Set is the computations of one hook by their texts. It is a
// delivery.Expressions.
type Set map[string]*Program

// Sees reports whether a computation sees the value of a header or of a query
// parameter.
func (s Set) Sees(source delivery.Source, name string) bool {
	for _, p := range s {
		if p.names.sees(source, name) {
			return true
		}
	}
	return false
}

// Value computes. Where the result is null or an empty optional the value is
// missing.
func (s Set) Value(d *delivery.Delivery, text string) (string, error) {
	p := s[text]
	if p == nil {
		return "", fmt.Errorf("the hook has no expression %q", text)
	}
	result, err := p.evaluate(d)
	if err != nil {
		return "", err
	}
	value, ok, err := write(result)
	if err == nil && !ok {
		err = &delivery.MissingError{Ref: delivery.Ref{Source: delivery.CEL, Name: text}}
	}
	return value, err
}
