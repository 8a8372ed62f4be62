// Package lint tells what is wrong or risky in hook files beyond what keeps them
// from being loaded: who may call, the commands and scripts that they name, the
// values that no sender has, the slips that are found in published hook files.
//
// It reads files of this machine (hook files, scripts) and starts nothing. What a
// Finding says holds no secret. A finding is told where its key stands; what is
// true of a whole hook is told once, at the hook.
package lint

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/pawlhq/pawl/internal/hook"
)

// Severity says how much a finding matters.
type Severity int

// The severities of findings.
const (
	Note    Severity = iota // advice
	Warning                 // a risk, or something without effect
	Error                   // it cannot work, or is no protection though it looks like one
)

func (s Severity) String() string { return [...]string{"note", "warning", "error"}[s] }

// Finding is one thing that is wrong or risky.
type Finding struct {
	Rule     string // a short name, as in Rules: "no-authentication", "script-syntax"
	At       hook.Position
	Hook     string // the hook's id; "" where the file as a whole is meant
	Severity Severity
	Text     string // what is wrong
	Fix      string // what to do; may be empty where Text says so
}

// Message is what is wrong, with the hook that it is in.
func (f Finding) Message() string {
	if f.Hook == "" {
		return f.Text
	}
	return fmt.Sprintf("hook %q: %s", f.Hook, f.Text)
}

// Options says how the files were loaded.
type Options struct {
	Directory string // that relative commands and files are looked up from; "" the working directory
	Template  bool   // the files are Go templates first

	Paths []string // the files and directories that were to be loaded
}

// Files looks at hook files that were loaded, and at what the loader found. The
// findings are in the order of the files and of their lines. Of paths, which the
// files were loaded from, directories that have none are told.
func Files(report hook.Report, o Options) []Finding {
	findings := without(report, o.Paths)
	for _, p := range report.Problems {
		findings = append(findings, ofProblem(p))
	}
	for _, loaded := range report.Files {
		findings = append(findings, ofFile(loaded, o)...)
	}
	return arrange(findings, report.Files)
}

// without tells of directories that have no hook file: a slip in a path must not
// look as if all were well.
func without(report hook.Report, paths []string) (findings []Finding) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() {
			continue // the loader tells
		}
		has := slices.ContainsFunc(report.Files, func(l hook.Loaded) bool { return filepath.Dir(l.File) == filepath.Clean(path) })
		if !has {
			findings = append(findings, Finding{
				Rule: ruleNoHooks, At: hook.Position{File: path}, Severity: Warning,
				Text: "there is no hook file in this directory: those are *.json, *.yaml and *.yml, and not below it",
				Fix:  "name the directory that they are in",
			})
		}
	}
	return findings
}

// ofFile looks at one file.
func ofFile(loaded hook.Loaded, o Options) []Finding {
	text := loaded.Text
	if text == nil {
		info, err := os.Stat(loaded.File)
		if err != nil || !info.Mode().IsRegular() { // a pipe was read already
			return nil
		}
		if text, err = os.ReadFile(loaded.File); err != nil {
			return nil // the loader tells
		}
	}
	f := &file{name: loaded.File, options: o, budget: budget}
	f.writable(hook.Position{File: loaded.File}, "", "the hook file", loaded.File)
	f.templates(string(text))
	root, place := hook.Nodes(loaded.File, text, hook.Options{Template: o.Template})
	if len(loaded.Hooks) == 0 && !loaded.Kept {
		f.findings = append(f.findings, Finding{
			Rule: ruleNoHooks, At: hook.Position{File: loaded.File}, Severity: Warning,
			Text: "there is no hook in the file", Fix: "write hooks into it, or take it away",
		})
	}
	if root == nil {
		return f.findings
	}
	f.place = place
	var hooks []*hook.Hook
	if !loaded.Kept {
		hooks = loaded.Hooks
	}
	for _, item := range (object{f, root}).items() {
		e := &entry{file: f, object: item}
		e.id = item.text("id")
		at := slices.IndexFunc(hooks, func(h *hook.Hook) bool { return h.ID == e.id && h.At == place(item.node) })
		if at >= 0 {
			e.hook = hooks[at]
		}
		e.look()
	}
	return f.findings
}

// arrange puts the findings of each file into the order of its lines, and drops
// what was told twice: by the reader and here, or of an alias as often as it is
// named.
func arrange(findings []Finding, files []hook.Loaded) []Finding {
	order := map[string]int{}
	for i, loaded := range files {
		order[loaded.File] = i
	}
	for _, f := range findings {
		if _, ok := order[f.At.File]; !ok { // a script, or a file that is not there
			order[f.At.File] = len(order)
		}
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(order[a.At.File], order[b.At.File]),
			cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column))
	})
	type told struct {
		rule, hook string
		at         hook.Position
	}
	variables := map[hook.Position]bool{}
	for _, f := range findings {
		variables[f.At] = variables[f.At] || f.Rule == ruleUnexpanded
	}
	seen := map[told]bool{}
	return slices.DeleteFunc(findings, func(f Finding) bool {
		key := told{f.Rule, f.Hook, f.At}
		if f.Rule == ruleFile || f.Rule == ruleUnknownValue || f.Rule == ruleWritable {
			key.rule += f.Text // of these, several stand at one place
		}
		twice := seen[key]
		seen[key] = true
		return twice || f.Rule == ruleInClear && variables[f.At] // that is no secret: it is a variable's name
	})
}
