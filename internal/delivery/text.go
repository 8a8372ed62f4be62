package delivery

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// decodeString returns the text of a JSON string's inside: escapes undone, what
// is no UTF-8 and lone surrogates replaced by U+FFFD, as encoding/json does.
// Nothing is copied if there is nothing to undo.
func decodeString(inside string) string {
	if strings.IndexByte(inside, '\\') < 0 && utf8.ValidString(inside) {
		return inside
	}
	var text string
	quoted := make([]byte, 0, len(inside)+2)
	quoted = append(append(append(quoted, '"'), inside...), '"')
	if err := json.Unmarshal(quoted, &text); err != nil {
		panic("delivery: a scanned string is no JSON: " + err.Error())
	}
	return text
}

// appendString appends text as a JSON string as encoding/json writes it: <, >,
// & and U+2028/9 escaped, what is no UTF-8 as U+FFFD.
func appendString(out []byte, text string) []byte {
	if isPlain(text) {
		out = append(out, '"')
		out = append(out, text...)
		return append(out, '"')
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		panic("delivery: a string has no JSON: " + err.Error())
	}
	return append(out, quoted...)
}

// isCanonical reports whether a JSON string's inside is spelt as encoding/json
// spells it. It may say no of one that is.
func isCanonical(inside string) bool {
	ascii := true
	for i := 0; i < len(inside); i++ {
		switch c := inside[i]; {
		case c == '\\':
			i++
			if c = inside[i]; c == 'u' || c == '/' {
				return false
			}
		case c == '<', c == '>', c == '&':
			return false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return ascii || isPlainUnicode(inside)
}

// isPlain reports whether text stands in a JSON string as it is.
func isPlain(text string) bool {
	ascii := true
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return ascii || isPlainUnicode(text)
}

func isPlainUnicode(text string) bool {
	return utf8.ValidString(text) && !strings.Contains(text, "\u2028") && !strings.Contains(text, "\u2029")
}
