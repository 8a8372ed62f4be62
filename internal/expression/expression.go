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

	"github.com/pawlhq/pawl/internal/delivery"
)

// Program is a compiled expression.
type Program struct {
	text string
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
func Condition(text string) (*Program, []*SyntaxError) { return &Program{text: text}, nil }

// Computation compiles an expression whose value is a text, a number, a boolean,
// or anything that can be written as JSON.
func Computation(text string) (*Program, []*SyntaxError) { return &Program{text: text}, nil }

// UsesElement reports whether the expression names element.
func (p *Program) UsesElement() bool { return false }

// Fields lists the names of payload values that the expression plainly names
// (payload.a.b), for advice.
func (p *Program) Fields() []string { return nil }

// String is the expression as written.
func (p *Program) String() string { return p.text }

// Holds asks a condition. The error says in words what keeps it from being told:
// a value that is not there, one of another type, a cost beyond the bound.
func (p *Program) Holds(d *delivery.Delivery) (bool, error) { return false, nil }

// Set is the computations of one hook by their texts. It is a
// delivery.Expressions.
type Set map[string]*Program

// Value computes.
func (s Set) Value(d *delivery.Delivery, text string) (string, error) { return "", nil }
