package hook

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"text/template"

	"github.com/pawlhq/pawl/internal/secret"
)

// templateError is how text/template goes on after "template: " and the name.
var templateError = regexp.MustCompile(`^:(\d+)(?::(\d+))?: (?s:(.*))$`)

// expand runs a hook file as a Go template. Positions in what comes of it are
// those of the expanded text.
func expand(file string, text []byte) ([]byte, Problems) {
	var problems Problems
	note := func(severity Severity, at Position, format string, args ...any) {
		at.File = file
		problems = append(problems, Problem{At: at, Severity: severity, Text: fmt.Sprintf(format, args...)})
	}
	functions := template.FuncMap{
		"getenv": os.Getenv,
		// A file that cannot be read gives nothing, as in webhook, but is told.
		"cat": func(path string) string {
			content, err := os.ReadFile(path)
			if err != nil {
				note(Warning, Position{}, "template: cat: %v; it gives nothing", err)
			}
			return secret.TrimLineEnd(string(content))
		},
		"credential": func(name string) (string, error) { return secret.Credential(name) },
	}
	var expanded bytes.Buffer
	parsed, err := template.New(file).Funcs(functions).Parse(string(text))
	if err == nil {
		err = parsed.Execute(&expanded, nil)
	}
	if err != nil {
		at, what := Position{Line: 1, Column: 1}, strings.TrimPrefix(err.Error(), "template: "+file)
		if found := templateError.FindStringSubmatch(what); found != nil {
			at.Line, _ = strconv.Atoi(found[1])
			if column, err := strconv.Atoi(found[2]); err == nil {
				at.Column = column + 1
			}
			what = found[3]
		}
		note(Refusal, at, "cannot expand the template: %s", strings.TrimPrefix(what, fmt.Sprintf("executing %q at ", file)))
	}
	return expanded.Bytes(), problems
}
