package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/run"
)

// choice is how the commands that change runs are told which: by ids, or by the
// filters of runs ls.
type choice struct {
	filter  runFilter
	all     bool
	dryRun  bool
	yes     bool
	output  outputFlag
	command *cobra.Command
}

func (o *choice) addTo(command *cobra.Command) {
	o.command = command
	o.filter.addTo(command)
	command.Flags().BoolVar(&o.all, "all", false, "all runs, where nothing else chooses")
	command.Flags().BoolVar(&o.dryRun, "dry-run", false, "only list the runs that are meant")
	command.Flags().BoolVar(&o.yes, "yes", false, "do not ask before many are changed")
	addOutput(command, &o.output, "json")
}

// check tells what does not go together.
func (o *choice) check(args []string) error {
	switch {
	case len(args) > 0 && (o.filter.given() || o.all):
		return usageError{errors.New("give either ids, or filters")}
	case len(args) == 0 && !o.filter.given() && !o.all:
		return usageError{errors.New("say which runs: by ids, by -hook, -state, -key, -since or -before, or -all")}
	}
	return nil
}

// chosen gives the runs that are meant, the oldest first. Without a state in the
// filter those of the states given count.
func (o *choice) chosen(ctx context.Context, c *client, args []string, states []run.State) ([]admin.Run, error) {
	if len(args) > 0 {
		return c.named(ctx, args)
	}
	filter := o.filter.filter()
	if filter.State != "" {
		states = []run.State{filter.State}
	}
	var runs []admin.Run
	for _, filter.State = range states {
		if err := c.runs(ctx, filter, admin.MaxIDs, func(r admin.Run) bool {
			runs = append(runs, r)
			return true
		}); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(runs, func(a, b admin.Run) int {
		if order := a.Accepted.Compare(b.Accepted); order != 0 {
			return order
		}
		return strings.Compare(a.ID, b.ID)
	})
	return runs, nil
}

// named gives the runs whose ids begin so, each once. That all can be found is
// made sure before anything is done.
func (c *client) named(ctx context.Context, prefixes []string) ([]admin.Run, error) {
	var runs []admin.Run
	for _, prefix := range prefixes {
		found, err := c.run(ctx, prefix)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(runs, func(r admin.Run) bool { return r.ID == found.ID }) {
			runs = append(runs, found)
		}
	}
	return runs, nil
}

// confirm asks the person at the terminal. Where there is none it wants -yes.
func (a *app) confirm(question string) error {
	if !isPerson() {
		return usageError{fmt.Errorf("%s Give -yes, or -dry-run to see them", question)}
	}
	if !a.agrees(question) {
		return silentError{errors.New("not done")}
	}
	return nil
}

// isPerson reports whether somebody can answer a question.
func isPerson() bool { return term.IsTerminal(int(os.Stdin.Fd())) }

// agrees asks the person at the terminal; no answer is no.
func (a *app) agrees(question string) bool {
	fmt.Fprintf(a.stderr, "%s [y/N] ", question)
	line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}
