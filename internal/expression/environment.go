package expression

import (
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// What an expression may cost. A person writes it, and a sender what it is asked
// about: both are bounded.
const (
	maxText    = 8 << 10 // characters
	maxNesting = 60
	maxNodes   = 2000
	maxRegexp  = 1000 // instructions of a regular expression's program

	// costLimit is the interpreter's measure for one evaluation: about one for
	// each step, and for each ten bytes of text. A million take tenths of a second.
	costLimit = 1_000_000

	// totalCost is the same for all evaluations of one delivery: a when that
	// names element is asked a thousand times.
	totalCost = 10_000_000

	// readings is how often the text of a delivery may be read over by all its
	// expressions, and leastRead the bytes that even a short one has.
	readings  = 32
	leastRead = 16 << 20

	// maxMadeText is how many bytes a function here makes.
	maxMadeText = 1 << 20
)

// environment is what expressions are compiled in: made when the first one is,
// for most hook files have none and it takes milliseconds and megabytes. It is
// the same for all, and never changes.
var environment = sync.OnceValues(newEnvironment)

func newEnvironment() (*cel.Env, error) {
	text, number := cel.StringType, cel.IntType
	texts := cel.MapType(text, text)
	return cel.NewEnv(
		cel.Variable("payload", cel.DynType),
		cel.Variable("headers", texts),
		cel.Variable("query", texts),
		cel.Variable("method", text),
		cel.Variable("sender", text),
		cel.Variable("event", text),
		cel.Variable("element", cel.DynType),
		cel.OptionalTypes(),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(maxText),
		cel.ParserRecursionLimit(maxNesting),
		cel.ExpressionNestingDepthLimit(2*maxNesting),
		cel.ExpressionNodeLimit(maxNodes),
		cel.RegexProgramSizeLimit(maxRegexp),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateDurationLiterals()),

		// The functions of CEL's extension for strings that hooks want, under
		// their names. The extension's own make texts of any size.
		cel.Function("lowerAscii", cel.MemberOverload("pawl_lower", []*cel.Type{text}, text, cel.UnaryBinding(lower))),
		cel.Function("upperAscii", cel.MemberOverload("pawl_upper", []*cel.Type{text}, text, cel.UnaryBinding(upper))),
		cel.Function("trim", cel.MemberOverload("pawl_trim", []*cel.Type{text}, text, cel.UnaryBinding(trim))),
		cel.Function("replace", cel.MemberOverload("pawl_replace", []*cel.Type{text, text, text}, text, cel.FunctionBinding(replace))),
		cel.Function("split", cel.MemberOverload("pawl_split", []*cel.Type{text, text}, cel.ListType(text), cel.BinaryBinding(split))),
		cel.Function("join",
			cel.MemberOverload("pawl_join", []*cel.Type{cel.ListType(text)}, text, cel.UnaryBinding(func(l ref.Val) ref.Val { return join(l, types.String("")) })),
			cel.MemberOverload("pawl_join_by", []*cel.Type{cel.ListType(text), text}, text, cel.BinaryBinding(join))),
		cel.Function("indexOf", cel.MemberOverload("pawl_index", []*cel.Type{text, text}, number, cel.BinaryBinding(index))),
		cel.Function("lastIndexOf", cel.MemberOverload("pawl_last_index", []*cel.Type{text, text}, number, cel.BinaryBinding(lastIndex))),
		cel.Function("substring",
			cel.MemberOverload("pawl_substring", []*cel.Type{text, number}, text, cel.FunctionBinding(substring)),
			cel.MemberOverload("pawl_substring_to", []*cel.Type{text, number, number}, text, cel.FunctionBinding(substring))),
	)
}

func textOf(v ref.Val) string {
	text, _ := v.(types.String)
	return string(text)
}

// errTooLong is what a function gives in the place of a text that is too long.
func errTooLong() ref.Val { return types.NewErr("a text is longer than %d bytes", maxMadeText) }

// short gives f's text of a text that is not too long for one.
func short(v ref.Val, f func(string) string) ref.Val {
	if len(textOf(v)) > maxMadeText {
		return errTooLong()
	}
	return types.String(f(textOf(v)))
}

func lower(v ref.Val) ref.Val {
	return short(v, func(text string) string {
		return strings.Map(func(c rune) rune {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			return c
		}, text)
	})
}

func upper(v ref.Val) ref.Val {
	return short(v, func(text string) string {
		return strings.Map(func(c rune) rune {
			if c >= 'a' && c <= 'z' {
				c -= 'a' - 'A'
			}
			return c
		}, text)
	})
}

func trim(v ref.Val) ref.Val { return types.String(strings.TrimSpace(textOf(v))) }

func replace(args ...ref.Val) ref.Val {
	text, from, to := textOf(args[0]), textOf(args[1]), textOf(args[2])
	if len(text) > maxMadeText {
		return errTooLong()
	}
	if count := strings.Count(text, from); len(text)+count*(len(to)-len(from)) > maxMadeText {
		return errTooLong()
	}
	return types.String(strings.ReplaceAll(text, from, to))
}

func split(v, by ref.Val) ref.Val {
	if len(textOf(v)) > maxMadeText {
		return errTooLong()
	}
	return types.NewStringList(types.DefaultTypeAdapter, strings.Split(textOf(v), textOf(by)))
}

func join(v, by ref.Val) ref.Val {
	l, ok := v.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(v)
	}
	var b strings.Builder
	for it, first := l.Iterator(), true; it.HasNext() == types.True; first = false {
		text, ok := it.Next().(types.String)
		if !ok {
			return types.NewErr("no such overload")
		}
		if !first {
			b.WriteString(textOf(by))
		}
		b.WriteString(string(text))
		if b.Len() > maxMadeText {
			return errTooLong()
		}
	}
	return types.String(b.String())
}

// index counts in characters, as size does.
func index(v, part ref.Val) ref.Val { return places(textOf(v), strings.Index(textOf(v), textOf(part))) }

func lastIndex(v, part ref.Val) ref.Val {
	return places(textOf(v), strings.LastIndex(textOf(v), textOf(part)))
}

func places(text string, bytes int) ref.Val {
	if bytes < 0 {
		return types.Int(-1)
	}
	return types.Int(len([]rune(text[:bytes])))
}

// substring is from one character to before another, or to the end.
func substring(args ...ref.Val) ref.Val {
	if len(textOf(args[0])) > maxMadeText {
		return errTooLong()
	}
	text := textOf(args[0])
	starts := make([]int, 0, len(text)+1)
	for i := range text {
		starts = append(starts, i)
	}
	starts = append(starts, len(text))
	from, ok := args[1].(types.Int)
	to := types.Int(len(starts) - 1)
	if len(args) > 2 && ok {
		to, ok = args[2].(types.Int)
	}
	if !ok || from < 0 || to < from || int(to) >= len(starts) {
		return types.NewErr("a substring is out of range")
	}
	return types.String(text[starts[from]:starts[to]])
}
