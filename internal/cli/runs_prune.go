package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/run"
)

func (a *app) newRunsPrune(i *instance) *cobra.Command {
	var o choice
	var older ageFlag
	command := &cobra.Command{
		Use:   "prune",
		Short: "Forget ended runs, with their output and artifacts",
		Long: `Forget ended runs, with their output and artifacts, beyond what keep.runs,
keep.age and -data-max forget by themselves. Runs that wait or run stay.

Exit statuses: 0 done; 1 no Pawl answers, or it could not; 2 wrong flags.`,
		Example: `  pawl runs prune -older 30d
  pawl runs prune -hook deploy -state failed -yes`,
		Args: wantNone,
		RunE: func(command *cobra.Command, _ []string) error {
			changed := command.Flags().Changed
			switch {
			case changed("older") && changed("before"):
				return usageError{errors.New("-older and -before do not go together")}
			case !o.filter.given() && !o.all && !changed("older"):
				return usageError{errors.New("say which runs: by -older, -hook, -state, -key, -since or -before, or -all")}
			case o.filter.state != "" && !run.State(o.filter.state).Final():
				return usageError{fmt.Errorf("only ended runs can be forgotten, not those that are %s", o.filter.state)}
			}
			if changed("older") {
				o.filter.before = timeFlag(time.Now().Add(-time.Duration(older)))
			}
			c, err := a.connect(command.Context(), i)
			if err != nil {
				return err
			}
			return a.runRunsPrune(command.Context(), c, &o)
		},
	}
	o.addTo(command)
	command.Flags().Var(&older, "older", "only runs accepted longer ago than this, as 12h or 30d")
	command.Flags().Lookup("older").DefValue = ""
	return command
}

func (a *app) runRunsPrune(ctx context.Context, c *client, o *choice) error {
	if o.dryRun || !o.yes {
		var ended []run.State
		for _, state := range run.States() {
			if state.Final() {
				ended = append(ended, state)
			}
		}
		runs, err := o.chosen(ctx, c, nil, ended)
		switch {
		case err != nil:
			return err
		case o.dryRun:
			return a.tellChosen(runs, &o.output)
		case len(runs) > 0:
			if err := a.confirm(fmt.Sprintf("forget %s?", count(len(runs), "run"))); err != nil {
				return err
			}
		}
	}
	var answer struct {
		Pruned int `json:"pruned"`
	}
	query := o.filter.filter().Values()
	if o.all {
		query.Set("all", "true")
	}
	if err := c.get(ctx, request{method: http.MethodDelete, path: "/runs", query: query}, &answer); err != nil {
		return err
	}
	if o.output.json() {
		return printJSON(a.stdout, answer)
	}
	fmt.Fprintf(a.stdout, "%s forgotten\n", count(answer.Pruned, "run"))
	return nil
}
