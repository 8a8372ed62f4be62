package expression

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"

	"github.com/pawlhq/pawl/internal/delivery"
)

var (
	errCost  = errors.New("to work it out would cost more than an expression may: the delivery is too large for what is asked of it")
	errDepth = errors.New("what it came to is nested too deep for JSON")
)

// write writes a result as values are written; false where it is none.
func write(result ref.Val) (text string, ok bool, err error) {
	switch v := result.(type) {
	case types.String:
		return string(v), true, nil
	case types.Bytes:
		return string(v), true, nil
	case types.Null:
		return "", false, nil
	case *types.Optional:
		if !v.HasValue() {
			return "", false, nil
		}
		return write(v.GetValue())
	case *object:
		return v.text(), true, nil
	case *list:
		if v.node != (delivery.Node{}) {
			return v.node.Text(), true, nil
		}
	}
	plain, err := plainOf(result, 0)
	if err != nil {
		return "", false, err
	}
	content, err := json.Marshal(plain)
	if err != nil {
		return "", false, fmt.Errorf("write what it came to as JSON: %w", err)
	}
	return string(content), true, nil
}

func (o *object) text() string {
	if o.known && o.node == (delivery.Node{}) {
		return "{}" // there is no payload
	}
	return o.node.Text()
}

// maxDepth is how deep lists and maps that an expression makes may stand in one
// another. Those of a delivery do not count.
const maxDepth = 100

// plainOf makes what encoding/json writes. What stands in the delivery is written
// as other values of it are.
func plainOf(v ref.Val, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	switch v := v.(type) {
	case types.String:
		return string(v), nil
	case types.Bool:
		return bool(v), nil
	case types.Int:
		return int64(v), nil
	case types.Uint:
		return uint64(v), nil
	case types.Double:
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, errors.New("it came to a number that JSON does not have")
		}
		return float64(v), nil
	case types.Null:
		return nil, nil
	case types.Bytes:
		return string(v), nil
	case *types.Optional:
		if !v.HasValue() {
			return nil, nil
		}
		return plainOf(v.GetValue(), depth+1)
	case *object:
		return json.RawMessage(v.text()), nil
	case traits.Lister:
		list := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			element, err := plainOf(it.Next(), depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, element)
		}
		return list, nil
	case traits.Mapper:
		members := map[string]any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			value, _ := v.Find(key)
			member, err := plainOf(value, depth+1)
			if err != nil {
				return nil, err
			}
			members[nameOf(key)] = member
		}
		return members, nil
	}
	if text, ok := v.ConvertToType(types.StringType).(types.String); ok { // a time, a duration
		return string(text), nil
	}
	return nil, fmt.Errorf("it came to %s, which no value can be", kindName(v.Type().TypeName()))
}

// nameOf writes the key of a map.
func nameOf(key ref.Val) string {
	switch key := key.(type) {
	case types.String:
		return string(key)
	case types.Int:
		return strconv.FormatInt(int64(key), 10)
	}
	text, _ := key.ConvertToType(types.StringType).(types.String)
	return string(text)
}

// kindName says a type of CEL in words.
func kindName(name string) string {
	switch name, _, _ := strings.Cut(name, "("); name {
	case "string":
		return "a text"
	case "int", "uint", "double":
		return "a number"
	case "bool":
		return "true or false"
	case "list":
		return "a list"
	case "map":
		return "an object"
	case "null_type":
		return "null"
	}
	return "a " + name
}

// explain says in words what kept an expression from being worked out. Messages
// of the interpreter may hold values, secret ones too: only those that are known
// to hold none are passed on.
func (p *Program) explain(err error) error {
	var cancelled interpreter.EvalCancelledError
	if errors.As(err, &cancelled) {
		return errCost
	}
	where, text := p.text, err.Error()
	var failed *types.Err
	if errors.As(err, &failed) {
		if part := p.part(failed.NodeID(), strings.TrimPrefix(text, noKey)); part != "" {
			where = part
		}
	}
	switch {
	case strings.HasPrefix(text, noKey):
		return fmt.Errorf("%s is not in the %s (%s asks)", where, rootOf(where), asks(where))
	case strings.HasPrefix(text, "index out of bounds"), strings.HasPrefix(text, "index '"):
		return fmt.Errorf("%s is beyond the list's end (size asks)", where)
	case strings.Contains(text, "no such overload"):
		return fmt.Errorf("%s: this cannot be done with values of these types", where)
	case strings.HasPrefix(text, "type conversion error"), strings.HasPrefix(text, "unsupported type conversion"),
		strings.HasPrefix(text, "division by zero"), strings.HasPrefix(text, "modulus by zero"),
		strings.HasPrefix(text, "a text is longer"), strings.HasPrefix(text, "a substring is"):
		return fmt.Errorf("%s: %s", where, text)
	case strings.Contains(text, "overflow"):
		return fmt.Errorf("%s: a number is too large", where)
	case strings.Contains(text, "regex"), strings.Contains(text, "error parsing regexp"):
		return fmt.Errorf("%s: the regular expression is wrong or too large", where)
	}
	return fmt.Errorf("%s: this cannot be worked out of the values of the delivery", where)
}

// rootOf is the variable that a value stands in, in words.
func rootOf(where string) string {
	root := where
	if cut := strings.IndexAny(where, ".["); cut > 0 {
		root = where[:cut]
	}
	switch root {
	case "payload", "headers", "query", "element":
		return root
	}
	return "delivery"
}

// asks is what asks whether a value is there.
func asks(where string) string {
	if at := strings.LastIndexByte(where, '['); at > 0 && strings.HasSuffix(where, "]") {
		return where[at+1:len(where)-1] + " in " + where[:at]
	}
	return "has(" + where + ")"
}

// noKey begins the interpreter's message of a key that is not there, which ends
// in the key.
const noKey = "no such key: "

// part writes the part of the expression that has this id; of a chain of fields
// (payload.a.b.c, of which c bears the id) only as far as the key that is named.
func (p *Program) part(id int64, key string) string {
	found := ast.MatchDescendants(ast.NavigateAST(p.ast.NativeRep()), func(e ast.NavigableExpr) bool { return e.ID() == id })
	if id == 0 || len(found) == 0 {
		return ""
	}
	var part ast.Expr = found[0]
	for at := part; ; {
		operand, name := step(at)
		if operand == nil {
			break
		}
		if name == key {
			part = at
		}
		at = operand
	}
	text, err := cel.ExprToString(part, p.ast.NativeRep().SourceInfo())
	if err != nil {
		return ""
	}
	return text
}

// step takes the last field or constant key off a chain of them; nil where there
// is none.
func step(e ast.Expr) (operand ast.Expr, name string) {
	switch e.Kind() {
	case ast.SelectKind:
		return e.AsSelect().Operand(), e.AsSelect().FieldName()
	case ast.CallKind:
		if args := e.AsCall().Args(); len(args) > 0 {
			if name, ok := constantKey(e.AsCall(), args[0].ID()); ok {
				return args[0], name
			}
		}
	}
	return nil, ""
}
