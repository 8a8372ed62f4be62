package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/hook"
)

// newRuns makes the command that shows and changes what a running Pawl
// remembers. Its subcommands are a file each.
func (a *app) newRuns() *cobra.Command {
	var i instance
	command := &cobra.Command{
		Use:   "runs",
		Short: "Show runs, try them again, cancel them, send their deliveries once more",
		Long: `Show what runs there are and were, and do something about them.

The running Pawl is asked over the socket in its data directory: the only one
that runs, or that of -port, -socket or -data-dir. An ID of a run may be the
beginning of one. Of a delivery that made no run "pawl runs why" tells.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 0 {
				return command.Help()
			}
			var known []string
			for _, sub := range command.Commands() {
				known = append(known, sub.Name())
			}
			return usageError{fmt.Errorf("unknown command %q for %q%s", args[0], command.CommandPath(), hook.Suggestion(args[0], known))}
		},
	}
	i.addTo(command)
	command.AddCommand(a.newRunsLs(&i), a.newRunsShow(&i), a.newRunsWhy(&i), a.newRunsLogs(&i),
		a.newRunsRetry(&i), a.newRunsCancel(&i), a.newRunsReplay(&i),
		a.newRunsPause(&i), a.newRunsResume(&i), a.newRunsHooks(&i), a.newRunsPrune(&i))
	return command
}

// outputFlag is -o: how what was asked for is printed.
type outputFlag struct {
	format string
	known  []string
}

// addOutput gives a command -o with these formats besides the one for people.
func addOutput(command *cobra.Command, o *outputFlag, known ...string) {
	o.known = known
	command.Flags().VarP(o, "output", "o", "the `format` of what is printed: "+orList(known))
}

func (o *outputFlag) String() string { return o.format }
func (o *outputFlag) Type() string   { return "format" }

func (o *outputFlag) Set(text string) error {
	for _, known := range o.known {
		if text == known {
			o.format = text
			return nil
		}
	}
	return errors.New("it is " + orList(o.known))
}

func (o *outputFlag) json() bool { return o.format == "json" }

func orList(words []string) string {
	text := ""
	for i, word := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			text += " or "
		default:
			text += ", "
		}
		text += word
	}
	return text
}

// printJSON prints a value for programs.
func printJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// wantOne checks that there is one word, as what the usage calls it.
func wantOne(name string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("give one %s, not %d", name, len(args))}
		}
		return nil
	}
}

// wantNone checks that there are no words.
func wantNone(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%q is too much: only flags are taken here", args[0])}
	}
	return nil
}
