// Package cli joins the other packages into the command pawl: one file a
// subcommand, the flags in one table, and the exit statuses in one place.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pawlhq/pawl/internal/hook"
)

// The exit statuses of pawl.
const (
	exitOK      = 0
	exitFailure = 1 // it could not do what was asked
	exitUsage   = 2 // it was asked wrongly
)

// app is what all subcommands share: where they talk to.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string // NAME=value
}

// usageError is a command line that asks for what does not exist.
type usageError struct{ error }

// silentError is a failure that was told already.
type silentError struct{ error }

// Main runs pawl with the arguments and streams of this process, and gives its
// exit status.
func Main() int {
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ()}
	return a.main(context.Background(), os.Args[1:])
}

func (a *app) main(ctx context.Context, args []string) int {
	root := a.newRoot()
	root.SetArgs(translate(args, root))
	failed, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if failed == root { // cobra found no command of that name
		err = usageError{err}
	}
	var silent silentError
	var usage usageError
	if !errors.As(err, &silent) {
		fmt.Fprintf(a.stderr, "pawl: %v\n", err)
	}
	if errors.As(err, &usage) {
		fmt.Fprintf(a.stderr, "%s -help lists the flags\n", strings.TrimSuffix(failed.CommandPath(), " serve"))
		return exitUsage
	}
	return exitFailure
}

// newRoot makes the command with all its subcommands.
func (a *app) newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:               "pawl",
		Short:             "Receive webhooks and run scripts",
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(a.newServe(), a.newRuns(), a.newBackup(), a.newCheck(), a.newExplain(), a.newHealth(), a.newNew(), a.newSend(), a.newSchema(), a.newSenders(), a.newVersion())
	return root
}

// flagError names the flag that was meant by one that does not exist.
func flagError(command *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usageError{err}
	}
	var known []string
	command.Flags().VisitAll(func(flag *pflag.Flag) { known = append(known, "-"+flag.Name) })
	name := "-" + unknown.GetSpecifiedName()
	return usageError{fmt.Errorf("unknown flag: %s%s", name, hook.Suggestion(name, known))}
}

func subcommands(root *cobra.Command) []string {
	names := []string{"help", "completion", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}
	for _, command := range root.Commands() {
		names = append(names, command.Name())
	}
	return names
}

// translate turns webhook's command line into pawl's. Flags may begin with one
// dash, as Go's flag package has them, and without a subcommand pawl serves. To
// serve, flags end at the first plain word, as webhook's do; elsewhere they may
// follow it.
func translate(args []string, root *cobra.Command) []string {
	name := "serve"
	switch {
	case len(args) == 0:
	case slices.Contains(subcommands(root), args[0]):
		name, args = args[0], args[1:]
	case !strings.HasPrefix(args[0], "-"):
		return args // cobra tells of a command that does not exist
	}
	if strings.HasPrefix(name, "__") {
		return append([]string{name}, args...)
	}
	translated := []string{name}
	command := subcommand(root, name)
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--", name == "serve" && (arg == "-" || !strings.HasPrefix(arg, "-")):
			return append(translated, args[i:]...)
		case arg == "-", !strings.HasPrefix(arg, "-"):
			translated = append(translated, arg)
			if below := subcommand(command, arg); below != nil {
				command = below
			}
			continue
		}
		flag, _, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if len(flag) == 1 {
			translated = append(translated, arg) // a short flag, as -o
		} else {
			translated = append(translated, "--"+strings.TrimLeft(arg, "-"))
		}
		if !hasValue && wantsValue(command, flag) && i+1 < len(args) {
			i++
			translated = append(translated, args[i])
		}
	}
	return translated
}

// subcommand gives a command's subcommand, or nil.
func subcommand(command *cobra.Command, name string) *cobra.Command {
	if command == nil {
		return nil
	}
	at := slices.IndexFunc(command.Commands(), func(c *cobra.Command) bool { return c.Name() == name || c.HasAlias(name) })
	if at < 0 {
		return nil
	}
	return command.Commands()[at]
}

// wantsValue tells the flags of a command that stand before a word of their own
// from those that do not, before they are parsed.
func wantsValue(command *cobra.Command, name string) bool {
	if command == nil {
		return takesValue(name)
	}
	flag := command.Flag(name)
	if len(name) == 1 {
		flag = command.Flags().ShorthandLookup(name)
	}
	return flag != nil && flag.NoOptDefVal == ""
}
