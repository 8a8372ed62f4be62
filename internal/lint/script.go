package lint

import (
	"bytes"
	"errors"
	"os"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/pawlhq/pawl/internal/hook"
)

// maxScript bounds the scripts that are parsed.
const maxScript = 1 << 20

// script parses a shell script and tells where it is wrong.
func (e *entry) script(file string) {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxScript {
		return
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	language, isShell := shellOf(string(line))
	if !isShell {
		return
	}
	if cr := bytes.Index(text, []byte("\r\n")); cr >= 0 {
		if !slices.ContainsFunc(e.findings, func(f Finding) bool { return f.Hook == e.id && f.Rule == ruleLineEnds }) {
			e.inScript(file, bytes.Count(text[:cr], []byte("\n"))+1, cr-bytes.LastIndexByte(text[:cr], '\n'), ruleLineEnds, fixLineEnds,
				"the line ends as Windows has it (CRLF): the shell takes the carriage return for a part of its last word")
		}
		return
	}
	failed := parse(text, language)
	if failed == nil {
		return
	}
	severity := Error
	fix := "correct the script; sh -n FILE tells as well"
	if language == syntax.LangPOSIX && parse(text, syntax.LangBash) == nil {
		severity, fix = Warning, "begin it with #!/bin/bash, or write it as POSIX has it"
		failed.text = "in a #!/bin/sh script this works only where sh is bash: " + failed.text
	}
	e.inScript(file, failed.line, failed.column, ruleScript, fix, failed.text)
	e.file.findings[len(e.file.findings)-1].Severity = severity
}

// inScript notes what is wrong in a script.
func (e *entry) inScript(file string, line, column int, r, fix, text string) {
	e.file.findings = append(e.file.findings, Finding{
		Rule: r, At: hook.Position{File: file, Line: line, Column: column}, Hook: e.id, Severity: Error, Text: text, Fix: fix,
	})
}

// shellOf finds by the #! line which shell reads a script.
func shellOf(line string) (syntax.LangVariant, bool) {
	line, ok := strings.CutPrefix(strings.TrimRight(line, "\r"), "#!")
	words := strings.Fields(line)
	if !ok || len(words) == 0 {
		return 0, false
	}
	name := path.Base(words[0])
	if name == "env" {
		rest := words[1:]
		for len(rest) > 0 && (strings.HasPrefix(rest[0], "-") || strings.Contains(rest[0], "=")) {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return 0, false
		}
		name = path.Base(rest[0])
	}
	switch {
	case slices.Contains([]string{"sh", "dash", "ash"}, name):
		return syntax.LangPOSIX, true
	case name == "bash":
		return syntax.LangBash, true
	case name == "mksh":
		return syntax.LangMirBSDKorn, true
	}
	return 0, false
}

// failure is where and why a script cannot be parsed.
type failure struct {
	line, column int
	text         string
}

func parse(text []byte, language syntax.LangVariant) *failure {
	_, err := syntax.NewParser(syntax.Variant(language)).Parse(bytes.NewReader(text), "")
	var wrong syntax.ParseError
	var other syntax.LangError
	switch {
	case errors.As(err, &wrong):
		return &failure{int(wrong.Pos.Line()), int(wrong.Pos.Col()), wrong.Text}
	case errors.As(err, &other):
		words := other.Error()
		if _, after, ok := strings.Cut(words, ": "); ok {
			words = after
		}
		return &failure{int(other.Pos.Line()), int(other.Pos.Col()), words}
	case err != nil:
		return &failure{1, 1, err.Error()}
	}
	return nil
}
