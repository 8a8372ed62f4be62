package delivery

import (
	"strings"

	"github.com/tidwall/gjson"
)

// findPath resolves a gjson path in a normalised JSON text. It comes after the
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
