package hook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a hook file. Lines and columns count from 1; a zero
// Line means the file as a whole.
type Position struct {
	File         string
	Line, Column int
}

func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Severity says how much a problem matters.
type Severity int

// The severities of problems.
const (
	Warning Severity = iota // the file loads; something in it has no effect or a risk
	Error                   // the hook does not work as written, and answers as webhook's would
	Refusal                 // the file is not loaded
)

func (s Severity) String() string {
	return [...]string{"warning", "error", "error"}[s]
}

// Problem is something wrong with a hook file.
type Problem struct {
	At       Position
	Hook     string // the hook's id, where one is known
	Severity Severity
	Text     string
}

// Message is what is wrong, with the hook that it is in.
func (p Problem) Message() string {
	if p.Hook == "" {
		return p.Text
	}
	return fmt.Sprintf("hook %q: %s", p.Hook, p.Text)
}

// String puts a problem as "hooks.yaml:14:9: hook "x": what is wrong".
func (p Problem) String() string { return p.At.String() + ": " + p.Message() }

// Problems is what is wrong with hook files, in the order of the files.
type Problems []Problem

// Refused reports whether one of the problems keeps its file from being loaded.
func (p Problems) Refused() bool {
	return slices.ContainsFunc(p, func(one Problem) bool { return one.Severity == Refusal })
}

// Errors counts the problems that are more than warnings.
func (p Problems) Errors() int {
	count := 0
	for _, one := range p {
		if one.Severity != Warning {
			count++
		}
	}
	return count
}

// String joins the problems, one a line.
func (p Problems) String() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// sort puts the problems of one file into the order of its lines, each once:
// what an alias stands for is read as often as it is named.
func (p Problems) sort() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column))
	})
	seen := make(map[Problem]bool, len(p))
	return slices.DeleteFunc(p, func(one Problem) bool {
		told := seen[one]
		seen[one] = true
		return told
	})
}

// withoutConsequences leaves out what follows from a refusal at the same place:
// a name that is a list is no missing name.
func withoutConsequences(p Problems) Problems {
	refused := map[Position]bool{}
	for _, one := range p {
		refused[one.At] = refused[one.At] || one.Severity == Refusal
	}
	return slices.DeleteFunc(p, func(one Problem) bool { return one.Severity != Refusal && refused[one.At] })
}
