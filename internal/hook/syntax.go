package hook

import (
	"bytes"
	"reflect"
	"regexp"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// libraryError is how the YAML library begins its errors. Its line is not used:
// it is that of the line before, or where the list or object begins.
var libraryError = regexp.MustCompile(`^(?:yaml: )?(?:line \d+: )?`)

// unknownAnchor is the error that comes without a place.
var unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)

// syntaxProblem turns an error of the YAML library into one that points at what
// is wrong, with a hint where the cause is a usual one.
func (r *reader) syntaxProblem(text []byte, decoder *yaml.Decoder, err error) Problem {
	what := libraryError.ReplaceAllString(err.Error(), "")
	line, column := failedAt(decoder)
	if offset := unreadable(text); offset >= 0 {
		line, column = lineColumn(text, offset)
	} else if found := unknownAnchor.FindStringSubmatch(what); found != nil {
		line, column = lineColumn(text, max(0, bytes.Index(text, []byte("*"+found[1]))))
	}
	line, column = within(text, line, column)
	hint := ""
	if comment := findComment(text, line); comment >= 0 {
		line, column = lineColumn(text, comment)
		hint = " (a comment begins with #; // and /* */ are not allowed)"
	} else if strings.Contains(what, "cannot start any token") && strings.Contains(lineOf(text, line), "\t") {
		hint = " (YAML is indented with blanks, not with tabs)"
	}
	return Problem{At: r.position(line, column), Severity: Refusal, Text: "cannot read this as JSON or YAML: " + what + hint}
}

// failedAt gives where a decoder gave up. The library knows it to the character
// but keeps it to itself, and an error without a place costs an operator more
// than this look behind its back: should another version name its parts
// otherwise, all errors point at the file's beginning (and a test fails).
func failedAt(decoder *yaml.Decoder) (line, column int) {
	v := reflect.ValueOf(decoder)
	for _, name := range []string{"parser", "parser", "problem_mark"} {
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		if v.Kind() != reflect.Struct {
			return 1, 1
		}
		v = v.FieldByName(name)
	}
	if v.Kind() != reflect.Struct {
		return 1, 1
	}
	l, c := v.FieldByName("line"), v.FieldByName("column")
	if !l.IsValid() || !c.IsValid() || !l.CanInt() || !c.CanInt() {
		return 1, 1
	}
	return int(l.Int()) + 1, int(c.Int()) + 1
}

// unreadable finds the first byte that is no text: no UTF-8, or a control
// character; -1 where there is none.
func unreadable(text []byte) int {
	for at := 0; at < len(text); {
		character, size := utf8.DecodeRune(text[at:])
		if character == utf8.RuneError && size == 1 || character < ' ' && !strings.ContainsRune("\t\r\n", character) || character == 0x7F {
			return at
		}
		at += size
	}
	return -1
}

// within puts a place that lies behind the end of the file, or of its line, at
// that end.
func within(text []byte, line, column int) (int, int) {
	last, end := lineColumn(text, len(text))
	if line > last {
		return last, end
	}
	return line, min(column, utf8.RuneCountInString(lineOf(text, line))+1)
}

// lineEnd is what ends a line in YAML.
var lineEnd = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

// lineColumn gives the line and the column of a byte of text, both from 1. A
// column is a character.
func lineColumn(text []byte, offset int) (line, column int) { return advance(1, 1, text[:offset]) }

// advance gives the place behind a piece of text that begins at a place.
func advance(line, column int, piece []byte) (int, int) {
	if ends := lineEnd.FindAllIndex(piece, -1); ends != nil {
		line, column = line+len(ends), 1
		piece = piece[ends[len(ends)-1][1]:]
	}
	return line, column + utf8.RuneCount(piece)
}

// lineOf gives a line of text without its end.
func lineOf(text []byte, line int) string { return lineEnd.Split(string(text), -1)[line-1] }

// findComment finds the first // or /* of a file, down to a line, that stands
// where a comment would: in no text, after a blank or a bracket. -1 is none. In
// a file that is no JSON only a line that begins so counts.
func findComment(text []byte, last int) int {
	isJSON := bytes.IndexAny(bytes.TrimLeft(text, " \t\r\n"), "[{/") == 0
	at := 0
	for line := range bytes.Lines(text) {
		if found := commentIn(line, isJSON); found >= 0 {
			return at + found
		}
		if at, last = at+len(line), last-1; last == 0 {
			break
		}
	}
	return -1
}

// commentIn finds a // or /* in one line, -1 where there is none.
func commentIn(line []byte, isJSON bool) int {
	quoted := false
	for i, c := range line {
		switch {
		case c == '"' && (i == 0 || line[i-1] != '\\'):
			quoted = !quoted
		case quoted:
		case c == '#':
			return -1
		case bytes.HasPrefix(line[i:], []byte("//")), bytes.HasPrefix(line[i:], []byte("/*")):
			begins := len(bytes.TrimSpace(line[:i])) == 0
			if begins || isJSON && bytes.IndexByte([]byte(" \t,[{]}\""), line[i-1]) >= 0 {
				return i
			}
		}
	}
	return -1
}
