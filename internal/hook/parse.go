package hook

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// parse gives the root of the file's first document, nil where there is none or
// where it cannot be used.
func (r *reader) parse(text []byte) *yaml.Node {
	text = decodeText(text)
	joined := r.joinSurrogates(text)
	r.parsed = joined
	decoder := yaml.NewDecoder(bytes.NewReader(joined))
	var document, second yaml.Node
	err := decoder.Decode(&document)
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		r.problems = append(r.problems, r.syntaxProblem(joined, decoder, err))
		return nil
	case len(document.Content) == 0:
		return nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		r.note(&second, Warning, "only the first document of a file counts; this one is ignored")
	case !errors.Is(err, io.EOF):
		what := r.syntaxProblem(joined, decoder, err)
		what.Severity, what.Text = Warning, "only the first list of a file counts; what stands here is ignored"
		r.problems = append(r.problems, what)
	}
	root := document.Content[0]
	r.survey(root, map[*yaml.Node]bool{})
	r.budget += r.budget*aliasedTimes + aliasedNodes
	if r.problems.Refused() {
		return nil
	}
	return root
}

// survey counts the nodes of a file as it is written, without following
// aliases, and refuses an alias inside its own anchor, which would never end.
// The nodes that are open are those that hold the present one.
func (r *reader) survey(node *yaml.Node, open map[*yaml.Node]bool) {
	r.budget++
	if node.Kind == yaml.AliasNode {
		if open[node.Alias] {
			r.refuse(node, "the alias *%s stands inside its own anchor", node.Value)
		}
		return
	}
	open[node] = true
	for _, child := range node.Content {
		r.survey(child, open)
	}
	delete(open, node)
}

// decodeText gives the text as UTF-8 without a byte order mark, which editors on
// Windows write.
func decodeText(text []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(text, []byte{0xEF, 0xBB, 0xBF}):
		return text[3:]
	case bytes.HasPrefix(text, []byte{0xFE, 0xFF}):
		order = binary.BigEndian
	case bytes.HasPrefix(text, []byte{0xFF, 0xFE}):
		order = binary.LittleEndian
	default:
		return text
	}
	units := make([]uint16, len(text)/2-1)
	for i := range units {
		units[i] = order.Uint16(text[2*i+2:])
	}
	return []byte(string(utf16.Decode(units)))
}

// escape is an escape in JSON text; a pair of surrogates, which stands for one
// character beyond U+FFFF, is one.
var escape = regexp.MustCompile(`\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|.)`)

// surrogatePair is how long the escape of a surrogate pair is, and joinedPair
// what YAML has in its place.
const (
	surrogatePair = len(`\uD83D\uDE00`)
	joinedPair    = len(`\U0001F600`)
)

// joinSurrogates writes the escapes of surrogate pairs, which YAML does not
// know, as YAML has them. It touches valid JSON alone, where such an escape can
// mean nothing else. It remembers where, because columns after them shift.
func (r *reader) joinSurrogates(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\u`)) || !json.Valid(text) {
		return text
	}
	var joined []byte
	end, line, column := 0, 1, 1
	for _, at := range escape.FindAllIndex(text, -1) {
		if at[1]-at[0] != surrogatePair {
			continue
		}
		var character string
		if err := json.Unmarshal(fmt.Appendf(nil, `"%s"`, text[at[0]:at[1]]), &character); err != nil {
			continue
		}
		first, _ := utf8.DecodeRuneInString(character)
		joined = append(joined, text[end:at[0]]...)
		joined = fmt.Appendf(joined, `\U%08X`, first)
		line, column = advance(line, column, text[end:at[0]])
		column += joinedPair
		end = at[1]
		if r.joined == nil {
			r.joined = map[int][]int{}
		}
		r.joined[line] = append(r.joined[line], column)
	}
	return append(joined, text[end:]...)
}

// position gives a place of the file as it is written.
func (r *reader) position(line, column int) Position {
	joined := r.joined[line] // in order
	before, _ := slices.BinarySearch(joined, column+1)
	return Position{r.file, line, column + before*(surrogatePair-joinedPair)}
}
