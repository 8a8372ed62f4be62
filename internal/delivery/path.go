package delivery

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

const (
	// maxPathValues is how many values a JSON or XML payload may have for a path
	// to be looked for in it. gjson takes a hundred bytes and more for each value
	// that a modifier goes through; a value of a body can be two bytes.
	maxPathValues = 500_000

	// maxPlainKeys is how many keys are compared without writing a text anew, at
	// 16 bytes each.
	maxPlainKeys = 1 << 16
)

var errManyValues = fmt.Errorf("paths are not looked for in a payload of more than %d values", maxPathValues)

// hasManyValues reports whether there are more than maxPathValues in text.
func hasManyValues(text string) bool {
	if len(text) < 2*maxPathValues {
		return false
	}
	values := 1
	for pos := 0; pos < len(text); {
		switch text[pos] {
		case '"':
			pos = skipString(text, pos)
			continue
		case ',', '{', '[': // each is followed by one value at most
			values++
		}
		pos++
	}
	return values > maxPathValues
}

// findPath resolves a gjson path in a text that pathText made. It comes after the
// literal names, and only for names that can mean nothing but a path: plain
// dotted names never take another meaning.
func findPath(text, path string) (value, bool) {
	result := gjson.Get(text, path)
	if !result.Exists() {
		return value{}, false
	}
	// Modifiers and counts make text of their own. What of it is JSON renders
	// like every other value.
	start, end, _, err := scanValue(result.Raw, maxDepth)
	if err == nil && strings.TrimSpace(result.Raw[end:]) == "" {
		return value{text: result.Raw[start:end]}, true
	}
	return literalValue(result.String()), true
}

// isPath reports whether one part of name at least is written in a way that
// only a gjson path has: a wildcard, "#" or "#(…)", a pipe, a modifier that
// exists, a choice of several paths, a literal.
func isPath(name string) bool {
	if !strings.ContainsAny(name, "#*?|@!({[") || strings.HasPrefix(name, "..") {
		return false
	}
	for rest := name; ; {
		part := rest
		end := strings.IndexAny(rest, ".|")
		if end >= 0 {
			part = rest[:end]
		}
		switch {
		case strings.ContainsAny(part, "*?"), part == "#",
			strings.HasPrefix(part, "#("), strings.HasPrefix(part, "#["),
			strings.HasPrefix(part, "["), strings.HasPrefix(part, "{"), strings.HasPrefix(part, "!"):
			return true
		case strings.HasPrefix(part, "@"):
			modifier, _, _ := strings.Cut(part[1:], ":")
			if gjson.ModifierExists(modifier, nil) {
				return true
			}
		}
		if end < 0 {
			return false
		}
		if rest[end] == '|' {
			return true
		}
		rest = rest[end+1:]
	}
}

// pathText returns a JSON text for paths: gjson finds the first of equal keys,
// where the last counts, so each key must be there once. Texts are nearly
// always so, and are then used as they are.
func pathText(text string) string {
	if hasPlainKeys(text) {
		return text
	}
	return normalise(text)
}

// hasPlainKeys reports whether no object in text has a key twice, or one that
// could be spelt in another way.
func hasPlainKeys(text string) bool {
	var keys []string // of the objects that are open, at most maxPlainKeys
	var open []int    // where the keys of each open object or list start
	for pos := 0; pos < len(text); {
		switch text[pos] {
		case '"':
			end := skipString(text, pos)
			inside := text[pos+1 : end-1]
			pos = end
			for pos < len(text) && isSpace(text[pos]) {
				pos++
			}
			if pos == len(text) || text[pos] != ':' {
				continue
			}
			if strings.IndexByte(inside, '\\') >= 0 || len(keys) == maxPlainKeys {
				return false
			}
			keys = append(keys, inside)
			continue
		case '{', '[':
			open = append(open, len(keys))
		case '}', ']':
			first := open[len(open)-1]
			if repeats(keys[first:]) {
				return false
			}
			keys, open = keys[:first], open[:len(open)-1]
		}
		pos++
	}
	return true
}

// repeats reports whether a key is there twice. It may reorder them.
func repeats(keys []string) bool {
	if len(keys) > 12 { // fewer are compared faster than sorted
		slices.Sort(keys)
		for i := 1; i < len(keys); i++ {
			if keys[i] == keys[i-1] {
				return true
			}
		}
		return false
	}
	for i := range keys {
		if slices.Contains(keys[:i], keys[i]) {
			return true
		}
	}
	return false
}
