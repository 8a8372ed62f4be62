package expression

import (
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// work is what calls cost by the size of what they read and make: one, and one
// more for each ten bytes. The interpreter's own measure knows sizes where it
// knows types when it compiles, and of a payload's values it knows none: to it
// payload.a + payload.a costs one, whatever they are.
type work struct{}

// CallCost is asked by the interpreter after each call.
func (work) CallCost(function, _ string, args []ref.Val, result ref.Val) *uint64 {
	cost := uint64(1)
	switch function {
	case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		if len(args) == 2 {
			cost += min(sizeOf(args[0]), sizeOf(args[1]))
		}
	case operators.In, "join":
		for _, value := range append([]ref.Val{result}, args...) {
			cost += sizeOf(value)
		}
	case operators.Index, operators.OptIndex, operators.OptSelect:
	case "startsWith", "endsWith":
		cost += sizeOf(args[len(args)-1])
	case "matches":
		pattern, _ := args[len(args)-1].(types.String)
		cost += sizeOf(args[0]) * (2 + uint64(len(pattern))/4) // some 40 ns for each byte
	default: // lists are joined without being read
		for _, value := range args {
			cost += textSize(value)
		}
		cost += textSize(result)
	}
	return &cost
}

// textSize is a cost for each ten bytes.
func textSize(v ref.Val) uint64 {
	switch v := v.(type) {
	case types.String:
		return uint64(len(v)) / 10
	case types.Bytes:
		return uint64(len(v)) / 10
	}
	return 0
}

// sizeOf is also one for each element. What is read of the delivery's own text is
// charged where it is read.
func sizeOf(v ref.Val) uint64 {
	switch v := v.(type) {
	case *list, *object, *texts:
		return 0
	case traits.Sizer:
		if _, isText := v.(types.String); isText {
			break
		}
		if n, ok := v.Size().(types.Int); ok {
			return uint64(n)
		}
	}
	return textSize(v)
}
