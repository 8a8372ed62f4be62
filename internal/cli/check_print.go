package cli

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	ansi "github.com/jedib0t/go-pretty/v6/text"

	"github.com/pawlhq/pawl/internal/lint"
)

// print writes findings for people: the same of three hooks of a file or more once, what
// to do about it once, where several say the same, and at last how many there are.
// On a terminal lines break between words.
func (c checked) print(out io.Writer) {
	colour, width := wantsColour(out), terminalWidth(out)
	line := func(text string) {
		if width > 2*hanging {
			text = hang(text, width)
		}
		fmt.Fprintln(out, text)
	}
	type what struct {
		file, rule, text string
		severity         lint.Severity
	}
	of := func(f lint.Finding) what { return what{f.At.File, f.Rule, f.Text, f.Severity} }
	hooks := map[what][]string{}
	for _, f := range c.Findings {
		if f.Hook != "" {
			hooks[of(f)] = append(hooks[of(f)], fmt.Sprintf("%q (line %d)", f.Hook, f.At.Line))
		}
	}
	told, fixed := map[what]bool{}, map[string]bool{}
	for _, f := range c.Findings {
		severity, message := f.Severity.String(), f.Message()
		if others := hooks[of(f)]; len(others) > 2 {
			if told[of(f)] {
				continue
			}
			told[of(f)] = true
			message += fmt.Sprintf("; so it is of %s", strings.Join(others[1:], ", "))
		}
		if colour {
			severity = severityColours(f.Severity).Sprint(severity)
		}
		line(fmt.Sprintf("%s: %s: %s", clean(f.At.String()), severity, clean(message)))
		if f.Fix != "" && !fixed[f.Fix] {
			line("    fix: " + clean(f.Fix))
			fixed[f.Fix] = true
		}
	}
	line(c.summary())
}

// hanging is by how many blanks the lines of a text that is broken begin, but the
// first.
const hanging = 6

// hang breaks a text between words so that its lines fit a width, where words do.
func hang(text string, width int) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Split(text, " ") { // blanks at the beginning are empty words
		length := ansi.StringWidth(ansi.StripEscape(word))
		switch {
		case i == 0:
		case column+1+length > width && column > hanging:
			b.WriteString("\n" + strings.Repeat(" ", hanging))
			column = hanging
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += length
	}
	return b.String()
}

func severityColours(severity lint.Severity) ansi.Colors {
	switch severity {
	case lint.Error:
		return ansi.Colors{ansi.FgRed}
	case lint.Warning:
		return ansi.Colors{ansi.FgYellow}
	}
	return ansi.Colors{ansi.FgCyan}
}

// checkedJSON is what check -o json prints.
type checkedJSON struct {
	Findings []findingJSON `json:"findings"`
	Files    int           `json:"files"`
	Hooks    int           `json:"hooks"`
	Errors   int           `json:"errors"`
	Warnings int           `json:"warnings"`
	Notes    int           `json:"notes"`
}

type findingJSON struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"` // missing where the file as a whole is meant
	Column   int    `json:"column,omitempty"`
	Hook     string `json:"hook,omitempty"`
	Text     string `json:"text"`
	Fix      string `json:"fix,omitempty"`
}

func (c checked) json() checkedJSON {
	all := checkedJSON{
		Findings: []findingJSON{}, Files: c.Files, Hooks: c.Hooks,
		Errors: c.count(lint.Error), Warnings: c.count(lint.Warning), Notes: c.count(lint.Note),
	}
	for _, f := range c.Findings {
		all.Findings = append(all.Findings, findingJSON{
			f.Rule, f.Severity.String(), f.At.File, f.At.Line, f.At.Column, f.Hook, f.Text, f.Fix,
		})
	}
	return all
}

// A log in the format SARIF 2.1.0, as far as check needs it
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string    `json:"id"`
		Summary sarifText `json:"shortDescription"`
		HelpURI string    `json:"helpUri"`
		Default struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
			Region *sarifRegion `json:"region,omitempty"`
		} `json:"physicalLocation"`
	}
	sarifRegion struct {
		Line   int `json:"startLine"`
		Column int `json:"startColumn"`
	}
)

const homepage = "https://github.com/pawlhq/pawl"

// sarif makes a log of the findings.
func (c checked) sarif() sarifLog {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "pawl", Version: release, InformationURI: homepage}
	indices := map[string]int{}
	for i, r := range lint.Rules() {
		rule := sarifRule{ID: r.Name, Summary: sarifText{r.Summary}, HelpURI: homepage + "/blob/main/docs/checking.md#what-it-finds"}
		rule.Default.Level = r.Severity.String()
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
		indices[r.Name] = i
	}
	for _, f := range c.Findings {
		text := f.Message()
		if f.Fix != "" {
			text += "\nFix: " + f.Fix
		}
		result := sarifResult{RuleID: f.Rule, RuleIndex: indices[f.Rule], Level: f.Severity.String(), Message: sarifText{text}, Locations: []sarifLocation{}}
		if f.At.File != "" {
			var at sarifLocation
			at.Physical.Artifact.URI = fileURI(f.At.File)
			if f.At.Line > 0 {
				at.Physical.Region = &sarifRegion{f.At.Line, max(1, f.At.Column)}
			}
			result.Locations = append(result.Locations, at)
		}
		run.Results = append(run.Results, result)
	}
	return sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}}
}

// fileURI gives a file as a URI, relative to where pawl was started if the file is
// below: code hosts find it in the checkout then.
func fileURI(file string) string {
	if here, err := os.Getwd(); err == nil && filepath.IsAbs(file) {
		if below, err := filepath.Rel(here, file); err == nil && filepath.IsLocal(below) {
			file = below
		}
	}
	if filepath.IsAbs(file) {
		path := filepath.ToSlash(file)
		if !strings.HasPrefix(path, "/") {
			path = "/" + path // C:/…
		}
		return (&url.URL{Scheme: "file", Path: path}).String()
	}
	return (&url.URL{Path: filepath.ToSlash(filepath.Clean(file))}).String()
}
