package cli

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/lint"
)

// checkOptions is what check is told besides the flags of serve.
type checkOptions struct {
	settings settings
	output   outputFlag
	strict   bool
	against  bool
	since    ageFlag
	instance instance
}

// checked is what check found.
type checked struct {
	Findings []lint.Finding
	Hooks    int // that were loaded
	Files    int
}

// newCheck makes the command that reads hook files as serve would, and looks for
// more.
func (a *app) newCheck() *cobra.Command {
	o := checkOptions{since: ageFlag(7 * 24 * time.Hour)}
	serve := pflag.NewFlagSet("", pflag.ContinueOnError)
	command := &cobra.Command{
		Use:   "check [flags] [file or directory]...",
		Short: "Tell what is wrong or risky in hook files",
		Long: `Tell what is wrong or risky in hook files and the scripts that they name, each
with file:line:column and what to do. The files are those of -hooks, or those
that are named. Commands are looked up from here, as if Pawl were started here.

With -against-history the hooks of the files are asked about the deliveries that a
running Pawl keeps, and what would be decided otherwise is shown; nothing runs. Only
deliveries that made a run are kept: what was turned away, and would run now, is not
told. Variables that Pawl adds by itself (PAWL_…) are not compared.

Exit statuses: 0 nothing is wrong, warnings and notes apart; 1 something is, or
with -against-history something changes; 2 wrong flags.`,
		Example: `  pawl check /etc/pawl/hooks
  pawl check -o sarif hooks.yaml > pawl.sarif
  pawl check -against-history -since 2d new-hooks.yaml`,
		RunE: func(command *cobra.Command, args []string) error {
			if err := fromEnvironment(serve, a.environ); err != nil {
				return usageError{err}
			}
			if len(args) > 0 {
				o.settings.hooks = args
			}
			switch {
			case o.against && o.output.format == "sarif":
				return usageError{errors.New("-against-history has no findings in files: its -o is text or json")}
			case o.against:
				return a.runCheckHistory(command.Context(), &o)
			case command.Flags().Changed("since"):
				return usageError{errors.New("-since goes with -against-history")}
			}
			return a.runCheck(&o)
		},
	}
	o.settings.flags(serve)
	serve.VisitAll(hideAllBut("hooks", "template", "data-dir", "port", "socket"))
	command.Flags().AddFlagSet(serve)
	addOutput(command, &o.output, "text", "json", "sarif")
	command.Flags().BoolVar(&o.strict, "strict", false, "warnings fail too")
	command.Flags().BoolVar(&o.against, "against-history", false, "ask the hooks about the deliveries that a running Pawl keeps, and show what changes")
	command.Flags().Var(&o.since, "since", "with -against-history: how far back, as in 12h or 7d")
	o.instance.flags = serve // -data-dir, -port and -socket choose the Pawl that is asked
	return command
}

func (a *app) runCheck(o *checkOptions) error {
	found := check(&o.settings)
	var err error
	switch o.output.format {
	case "json":
		err = printJSON(a.stdout, found.json())
	case "sarif":
		err = printJSON(a.stdout, found.sarif())
	default:
		found.print(a.stdout)
	}
	if err != nil {
		return err
	}
	if found.count(lint.Error) > 0 || o.strict && found.count(lint.Warning) > 0 {
		return silentError{errors.New("problems were found")}
	}
	return nil
}

// check loads the hook files and looks at them.
func check(s *settings) checked {
	_, report, err := hook.NewLoader(s.hooks, hook.Options{Template: s.template, KeepText: true}).Load()
	found := checked{Files: len(report.Files), Findings: lint.Files(report, lint.Options{Template: s.template, Paths: s.hooks})}
	for _, file := range report.Files {
		found.Hooks += len(file.Hooks)
	}
	if err != nil && found.count(lint.Error) == 0 { // else it was told with its place
		found.Findings = append(found.Findings, lint.Finding{Rule: "duplicate", Severity: lint.Error, Text: err.Error()})
	}
	return found
}

// count tells how many findings there are of a severity.
func (c checked) count(severity lint.Severity) int {
	n := 0
	for _, f := range c.Findings {
		if f.Severity == severity {
			n++
		}
	}
	return n
}

// summary says in a line how many there are of what.
func (c checked) summary() string {
	text := fmt.Sprintf("%d hook(s) in %d file(s)", c.Hooks, c.Files)
	before := ": "
	for _, severity := range []lint.Severity{lint.Error, lint.Warning, lint.Note} {
		if n := c.count(severity); n > 0 {
			text += before + count(n, severity.String())
			before = ", "
		}
	}
	return text
}

// hideAllBut leaves only these flags in the help of a command that takes those
// of serve.
func hideAllBut(names ...string) func(*pflag.Flag) {
	return func(flag *pflag.Flag) { flag.Hidden = !slices.Contains(names, flag.Name) }
}
