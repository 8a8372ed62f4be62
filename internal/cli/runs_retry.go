package cli

import (
	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/run"
)

func (a *app) newRunsRetry(i *instance) *cobra.Command {
	return a.newAction(i, action{verb: "retry", done: "tried once more", states: []run.State{run.Failed}}, &cobra.Command{
		Short: "Try ended runs once more",
		Long: `Try ended runs once more: the same runs, of the same deliveries, with a fresh
count of attempts, at the ends of their lines. A run that waits to be tried again
waits no longer. By filters, without -state, failed runs are meant.

Exit statuses: 0 done; 1 not with all of them, or no Pawl answers; 2 wrong flags.`,
		Example: `  pawl runs retry 01890a5d-ac96
  pawl runs retry -hook deploy -since 2h -dry-run`,
	})
}

func (a *app) newRunsCancel(i *instance) *cobra.Command {
	states := []run.State{run.Queued, run.Retrying, run.Held, run.Running}
	return a.newAction(i, action{verb: "cancel", done: "cancelled", states: states}, &cobra.Command{
		Short: "Cancel runs that wait or run",
		Long: `Cancel runs for good: one that waits never starts, the script of one that runs is
stopped. Neither is it tried again, nor does on-failure follow. By filters, without
-state, all runs that have not ended are meant.

Exit statuses: 0 done; 1 not with all of them, or no Pawl answers; 2 wrong flags.`,
		Example: `  pawl runs cancel 01890a5d-ac96
  pawl runs cancel -hook deploy -state queued -yes`,
	})
}
