package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pawlhq/pawl/internal/hook"
)

// newCheck makes the command that reads hook files as serve would.
func (a *app) newCheck() *cobra.Command {
	var s settings
	command := &cobra.Command{
		Use:   "check [flags] [file or directory]...",
		Short: "Tell what is wrong with hook files",
		Long: `Tell what is wrong with hook files, each problem with file:line:column. The files
are those of -hooks, or those that are named.

Exit statuses: 0 nothing is wrong, warnings apart; 1 something is; 2 wrong flags.`,
		RunE: func(command *cobra.Command, args []string) error {
			if err := fromEnvironment(command.Flags(), a.environ); err != nil {
				return usageError{err}
			}
			if len(args) > 0 {
				s.hooks = args
			}
			return a.runCheck(&s)
		},
	}
	s.flags(command.Flags())
	command.Flags().VisitAll(hideAllBut("hooks", "template"))
	return command
}

func (a *app) runCheck(s *settings) error {
	set, report, err := hook.NewLoader(s.hooks, hook.Options{Template: s.template}).Load()
	for _, p := range report.Problems {
		fmt.Fprintf(a.stdout, "%s: %s: %s\n", p.At, p.Severity, p.Message())
	}
	for _, file := range report.Files {
		for _, h := range file.Hooks {
			if isOpen(h) {
				fmt.Fprintf(a.stdout, "%s: %s: hook %q: nothing checks who calls: anyone may trigger it\n", h.At, hook.Warning, h.ID)
			}
		}
	}
	if n := report.Problems.Errors(); err != nil || n > 0 {
		return silentError{errors.New("problems were found")}
	}
	fmt.Fprintf(a.stdout, "%d hook(s) in %d file(s)\n", set.Len(), len(report.Files))
	return nil
}

// hideAllBut leaves only these flags in the help of a command that takes those
// of serve.
func hideAllBut(names ...string) func(*pflag.Flag) {
	return func(flag *pflag.Flag) { flag.Hidden = !slices.Contains(names, flag.Name) }
}
