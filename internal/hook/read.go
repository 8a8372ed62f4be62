package hook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Options says how hook files are read.
type Options struct {
	Template bool // each file is a Go template first (-template)

	// Reload refuses an id that stands twice in one file. At the start the
	// first of them counts, as in webhook.
	Reload bool
}

// Read reads one hook file: JSON or YAML, whatever its name. It tells all
// problems at once; where Problems.Refused, the hooks must not be used.
func Read(file string, text []byte, options Options) ([]*Hook, Problems) {
	r := &reader{file: file}
	if options.Template {
		expanded, problems := expand(file, text)
		r.problems = append(r.problems, problems...)
		if problems.Refused() {
			return nil, r.problems
		}
		text = expanded
	}
	root := r.parse(text)
	if root == nil {
		return nil, r.problems
	}
	hooks := r.list(root, options)
	r.problems.sort()
	return hooks, r.problems
}

// parse gives the root of the file's first document, nil where there is none.
func (r *reader) parse(text []byte) *yaml.Node {
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(joinSurrogates(text)))
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		r.problems = append(r.problems, syntaxProblem(r.file, text, err))
		return nil
	}
	if len(document.Content) == 0 {
		return nil
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		r.note(&second, Warning, "only the first document of a file counts; this one is ignored")
	}
	return document.Content[0]
}

// list reads the file's list of hooks.
func (r *reader) list(root *yaml.Node, options Options) []*Hook {
	root = r.resolve(root)
	if isNull(root) {
		return nil
	}
	if root.Kind != yaml.SequenceNode {
		r.refuse(root, "a hook file is a list of hooks, not %s", kindOf(root))
		if root.Kind == yaml.MappingNode {
			r.problems[len(r.problems)-1].Text += " (put [ and ] around it)"
		}
		return nil
	}
	keys := hookKeys()
	var hooks []*Hook
	first := map[string]*Hook{}
	for _, item := range root.Content {
		item = r.resolve(item)
		h := r.one(item, keys)
		if earlier, twice := first[h.ID]; twice {
			severity := Error
			if options.Reload || h.Own || earlier.Own {
				severity = Refusal
			}
			r.note(item, severity, "the id %q is that of the hook in line %d already; only that one counts", h.ID, earlier.At.Line)
			r.hook = ""
			continue
		}
		r.hook = ""
		first[h.ID] = h
		hooks = append(hooks, h)
	}
	return hooks
}

// surrogates is a JSON escape of a character beyond U+FFFF.
var surrogates = regexp.MustCompile(`(?i)\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}`)

// joinSurrogates writes the escapes of a surrogate pair, which YAML does not
// know, as YAML has them. It touches valid JSON alone, where such an escape can
// mean nothing else.
func joinSurrogates(text []byte) []byte {
	if !surrogates.Match(text) || !json.Valid(text) {
		return text
	}
	return surrogates.ReplaceAllFunc(text, func(pair []byte) []byte {
		var character string
		if err := json.Unmarshal([]byte(`"`+string(pair)+`"`), &character); err != nil {
			return pair
		}
		return fmt.Appendf(nil, `\U%08X`, []rune(character)[0])
	})
}

// yamlLine finds the line in an error of the YAML library.
var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)$`)

// syntaxProblem turns an error of the YAML library, which knows a line at best,
// into one that points at the line's first character.
func syntaxProblem(file string, text []byte, err error) Problem {
	at, what := Position{File: file, Line: 1, Column: 1}, err.Error()
	if found := yamlLine.FindStringSubmatch(what); found != nil {
		what = found[2]
		if n, err := strconv.Atoi(found[1]); err == nil {
			at.Line = n
		}
	}
	lines := strings.Split(string(text), "\n")
	at.Line = min(at.Line, len(lines))
	line := lines[at.Line-1]
	at.Column = len(line) - len(strings.TrimLeft(line, " \t")) + 1
	hint := ""
	for i, l := range lines[:at.Line] {
		trimmed := strings.TrimLeft(l, " \t")
		if strings.HasPrefix(trimmed, "//") || strings.HasPrefix(trimmed, "/*") {
			at.Line, at.Column = i+1, len(l)-len(trimmed)+1
			hint = " (a comment begins with #; // and /* */ are not allowed)"
			break
		}
	}
	if strings.Contains(what, "cannot start any token") && strings.Contains(line, "\t") {
		hint = " (YAML is indented with blanks, not with tabs)"
	}
	return Problem{At: at, Severity: Refusal, Text: "cannot read this as JSON or YAML: " + what + hint}
}
