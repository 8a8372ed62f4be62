package delivery

import (
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// What is written here is byte for byte what encoding/json writes, but straight
// into the buffer it is for: strings are as large as the sender likes, and each
// copy of one counts. Nothing here fails or panics, whatever the bytes are: an
// escape that a scanner would not have accepted stands for itself.

// decodeString returns the text of a JSON string's inside: escapes undone, what
// is no UTF-8 and lone surrogates replaced by U+FFFD, as encoding/json does.
// Nothing is copied if there is nothing to undo.
func decodeString(inside string) string {
	if isDecoded(inside) {
		return inside
	}
	return textOf(appendDecoded(make([]byte, 0, len(inside)), inside))
}

// isDecoded reports whether a JSON string's inside is the text that it stands
// for.
func isDecoded(inside string) bool {
	return strings.IndexByte(inside, '\\') < 0 && utf8.ValidString(inside)
}

func appendDecoded(out []byte, inside string) []byte {
	for i := 0; i < len(inside); {
		plain := i
		for i < len(inside) && inside[i] != '\\' && inside[i] < utf8.RuneSelf {
			i++
		}
		if out = append(out, inside[plain:i]...); i < len(inside) {
			var char rune
			char, i = decodeChar(inside, i)
			out = utf8.AppendRune(out, char)
		}
	}
	return out
}

// spells reports whether a JSON string's inside stands for text.
func spells(inside, text string) bool {
	for i := 0; i < len(inside); {
		if c := inside[i]; c != '\\' && c < utf8.RuneSelf {
			if text == "" || text[0] != c {
				return false
			}
			text = text[1:]
			i++
			continue
		}
		var char rune
		var buffer [utf8.UTFMax]byte
		char, i = decodeChar(inside, i)
		size := utf8.EncodeRune(buffer[:], char)
		if len(text) < size || text[:size] != string(buffer[:size]) {
			return false
		}
		text = text[size:]
	}
	return text == ""
}

// decodeChar reads the character or the escape at i of a JSON string's inside,
// and returns where the next one starts.
func decodeChar(inside string, i int) (char rune, next int) {
	if inside[i] != '\\' {
		char, size := utf8.DecodeRuneInString(inside[i:])
		return char, i + size
	}
	n := escapeLength(inside[i:])
	if n == 0 {
		return '\\', i + 1
	}
	switch c := inside[i+1]; c {
	case 'b':
		return '\b', i + n
	case 'f':
		return '\f', i + n
	case 'n':
		return '\n', i + n
	case 'r':
		return '\r', i + n
	case 't':
		return '\t', i + n
	case 'u':
		return decodeUnicode(inside, i)
	default:
		return rune(c), i + n
	}
}

// decodeUnicode reads the \u escape at i, and the one behind it if both are one
// character.
func decodeUnicode(inside string, i int) (char rune, next int) {
	char, next = hexValue(inside[i+2:i+6]), i+6
	if !utf16.IsSurrogate(char) {
		return char, next
	}
	if strings.HasPrefix(inside[next:], `\u`) && escapeLength(inside[next:]) == 6 {
		if pair := utf16.DecodeRune(char, hexValue(inside[next+2:next+6])); pair != utf8.RuneError {
			return pair, next + 6
		}
	}
	return utf8.RuneError, next
}

// hexValue returns the value of hexadecimal digits.
func hexValue(digits string) (value rune) {
	for _, c := range []byte(digits) {
		if c >= 'A' {
			c = c&^0x20 - 'A' + 10
		}
		value = value<<4 | rune(c&15)
	}
	return value
}

// appendString appends text as a JSON string as encoding/json writes it: <, >,
// & and U+2028/9 escaped, what is no UTF-8 as \ufffd.
func appendString(out []byte, text string) []byte {
	out = append(out, '"')
	for i := 0; i < len(text); {
		plain := i
		for i < len(text) && !needsEscape(text[i]) && text[i] < utf8.RuneSelf {
			i++
		}
		out = append(out, text[plain:i]...)
		if i == len(text) {
			break
		}
		char, size := utf8.DecodeRuneInString(text[i:])
		if char == utf8.RuneError && size == 1 {
			out = append(out, `\ufffd`...)
		} else {
			out = appendChar(out, char)
		}
		i += size
	}
	return append(out, '"')
}

// appendRespelt appends the inside of a JSON string as encoding/json would spell
// it.
func appendRespelt(out []byte, inside string) []byte {
	for i := 0; i < len(inside); {
		plain := i
		for i < len(inside) && !needsEscape(inside[i]) && inside[i] < utf8.RuneSelf {
			i++
		}
		if out = append(out, inside[plain:i]...); i < len(inside) {
			var char rune
			char, i = decodeChar(inside, i)
			out = appendChar(out, char)
		}
	}
	return out
}

// appendMinimal appends text, which is UTF-8, as a JSON string that no person
// reads: with those escapes alone that JSON demands.
func appendMinimal(out []byte, text string) []byte {
	out = append(slices.Grow(out, minimalSize(text)), '"')
	plain := 0
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' {
			out = appendChar(append(out, text[plain:i]...), rune(c))
			plain = i + 1
		}
	}
	return append(append(out, text[plain:]...), '"')
}

// minimalSize is how many bytes appendMinimal may append.
func minimalSize(text string) int {
	size := len(text) + len(`""`) + strings.Count(text, `"`) + strings.Count(text, `\`)
	for i := range len(text) {
		if text[i] < ' ' {
			size += len(`\u0000`) - 1
		}
	}
	return size
}

// needsEscape reports whether a character below 0x80 is escaped by
// encoding/json.
func needsEscape(c byte) bool {
	return c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&'
}

func appendChar(out []byte, char rune) []byte {
	const digits = "0123456789abcdef"
	switch char {
	case '"', '\\':
		return append(out, '\\', byte(char))
	case '\b':
		return append(out, `\b`...)
	case '\f':
		return append(out, `\f`...)
	case '\n':
		return append(out, `\n`...)
	case '\r':
		return append(out, `\r`...)
	case '\t':
		return append(out, `\t`...)
	case '\u2028':
		return append(out, `\u2028`...)
	case '\u2029':
		return append(out, `\u2029`...)
	}
	if char < utf8.RuneSelf && needsEscape(byte(char)) {
		return append(out, '\\', 'u', '0', '0', digits[char>>4], digits[char&15])
	}
	return utf8.AppendRune(out, char)
}

// stringSize is how many bytes appendString may append.
func stringSize(text string) int {
	size := len(text) + len(`""`)
	for i, char := range text {
		switch {
		case char == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd"), char < utf8.RuneSelf && needsEscape(byte(char)):
			size += len(`\u0000`) - 1
		case char == '\u2028', char == '\u2029':
			size += len(`\u2028`) - len("\u2028")
		}
	}
	return size
}

// canonicalSize is how many bytes appendCanonical may append of a text that is
// UTF-8: with it a large value is never copied into a larger buffer.
func canonicalSize(text string) int {
	size := len(text)
	for _, escaped := range []string{"<", ">", "&", "\u2028", "\u2029"} {
		size += strings.Count(text, escaped) * (len(`\u0000`) - len(escaped))
	}
	return size
}

// toValid replaces each byte of text that is no UTF-8 by U+FFFD, as encoding/json
// does.
func toValid(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	size := 0
	for _, char := range text {
		size += utf8.RuneLen(char)
	}
	out := make([]byte, 0, size)
	for _, char := range text {
		out = utf8.AppendRune(out, char)
	}
	return textOf(out)
}

// textOf makes a string of bytes that nobody changes any more. They are copied
// only if much of the memory behind them is unused.
func textOf(out []byte) string {
	if cap(out)-len(out) > len(out)/4 {
		return string(out)
	}
	return unsafe.String(unsafe.SliceData(out), len(out))
}

// isCanonical reports whether a JSON string's inside is spelt as encoding/json
// spells it. It may say no of one that is.
func isCanonical(inside string) bool {
	ascii := true
	for i := 0; i < len(inside); i++ {
		switch c := inside[i]; {
		case c == '\\':
			i++
			if i == len(inside) || inside[i] == 'u' || inside[i] == '/' {
				return false
			}
		case c == '<', c == '>', c == '&':
			return false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return ascii || utf8.ValidString(inside) && !strings.Contains(inside, "\u2028") && !strings.Contains(inside, "\u2029")
}
