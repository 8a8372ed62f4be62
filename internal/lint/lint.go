// Package lint tells what is wrong or risky in hook files beyond what keeps them
// from being loaded: who may call, the commands and scripts that they name, the
// values that no sender has, the slips that are found in published hook files.
//
// It reads files of this machine (hook files, scripts) and starts nothing.
package lint

import (
	"github.com/pawlhq/pawl/internal/hook"
)

// Finding is one thing that is wrong or risky.
type Finding struct {
	Rule     string // a short name: "no-authentication", "script-syntax"
	At       hook.Position
	Hook     string
	Severity hook.Severity
	Text     string // what is wrong
	Fix      string // what to do; may be empty where Text says so
}

// Options says what to look at.
type Options struct {
	Directory string   // that relative commands are looked up from; "" the working directory
	Methods   []string // of the server, where a hook names none
}

// Files looks at hook files that were loaded, and at what the loader found.
func Files(report hook.Report, o Options) []Finding { return nil }
