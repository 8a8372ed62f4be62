package expression

import (
	"net/textproto"
	"slices"
	"strconv"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/pawlhq/pawl/internal/delivery"
)

// names is what an expression names.
type names struct {
	element bool
	event   bool
	fields  []string

	headers, query       []string // those that it names
	allHeaders, allQuery bool     // it may look at any
}

// namesOf walks an expression.
func namesOf(of *cel.Ast) names {
	var n names
	root := ast.NavigateAST(of.NativeRep())
	for _, e := range ast.MatchDescendants(root, ast.KindMatcher(ast.IdentKind)) {
		path := pathFrom(e)
		switch e.AsIdent() {
		case "element":
			n.element = true
		case "event":
			n.event = true
		case "payload":
			if len(path) > 0 {
				n.fields = append(n.fields, dotted(path))
			}
		case "headers":
			if len(path) == 0 {
				n.allHeaders = true
			} else {
				n.headers = append(n.headers, textproto.CanonicalMIMEHeaderKey(path[0]))
			}
		case "query":
			if len(path) == 0 {
				n.allQuery = true
			} else {
				n.query = append(n.query, path[0])
			}
		}
	}
	slices.Sort(n.fields)
	n.fields = slices.Compact(n.fields)
	return n
}

// pathFrom follows the fields and constant indexes that stand behind a variable.
func pathFrom(e ast.NavigableExpr) (path []string) {
	for {
		parent, ok := e.Parent()
		if !ok {
			return path
		}
		switch parent.Kind() {
		case ast.SelectKind:
			path = append(path, parent.AsSelect().FieldName())
		case ast.CallKind:
			key, ok := constantKey(parent.AsCall(), e.ID())
			if !ok {
				return path
			}
			path = append(path, key)
		default:
			return path
		}
		e = parent
	}
}

// constantKey is the constant by which a call indexes its first argument.
func constantKey(call ast.CallExpr, of int64) (string, bool) {
	switch call.FunctionName() {
	case operators.Index, operators.OptIndex, operators.OptSelect:
	default:
		return "", false
	}
	args := call.Args()
	if len(args) != 2 || args[0].ID() != of || args[1].Kind() != ast.LiteralKind {
		return "", false
	}
	switch key := args[1].AsLiteral().(type) {
	case types.String:
		return string(key), true
	case types.Int:
		return strconv.FormatInt(int64(key), 10), true
	}
	return "", false
}

func dotted(path []string) string {
	text := path[0]
	for _, part := range path[1:] {
		text += "." + part
	}
	return text
}

func (n names) sees(source delivery.Source, name string) bool {
	switch source {
	case delivery.Header:
		return n.allHeaders || slices.Contains(n.headers, textproto.CanonicalMIMEHeaderKey(name))
	case delivery.Query, delivery.QueryAlias:
		return n.allQuery || slices.Contains(n.query, name)
	}
	return false
}
