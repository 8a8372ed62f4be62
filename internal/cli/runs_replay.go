package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/run"
)

func (a *app) newRunsReplay(i *instance) *cobra.Command {
	act := action{verb: "replay", done: "sent again", states: []run.State{""}, once: true}
	command := a.newAction(i, act, &cobra.Command{
		Short: "Send stored deliveries again, through today's hook file",
		Long: `Send the stored deliveries of runs again, each to the hook of its run as it is
today: a new delivery and new runs. Rules and values are asked anew, signatures and
repeated deliveries are not.

With -edit the payload is opened in $VISUAL or $EDITOR first. What was edited is
marked as such in the run: nobody signed it.

Exit statuses: 0 done; 1 not with all of them, or no Pawl answers; 2 wrong flags.`,
		Example: `  pawl runs replay 01890a5d-ac96
  pawl runs replay -edit 01890a5d-ac96
  pawl runs replay -hook deploy -state failed -since 2h -dry-run`,
	})
	edit := command.Flags().Bool("edit", false, "edit the payload first; of one run")
	many := command.RunE
	command.RunE = func(command *cobra.Command, args []string) error {
		if !*edit {
			return many(command, args)
		}
		if len(args) != 1 {
			return usageError{errors.New("-edit takes one ID")}
		}
		c, err := a.connect(command.Context(), i)
		if err != nil {
			return err
		}
		return a.runReplayEdited(command.Context(), c, act, args[0])
	}
	return command
}

// runReplayEdited lets a person change a payload and sends it.
func (a *app) runReplayEdited(ctx context.Context, c *client, act action, prefix string) error {
	found, err := c.run(ctx, prefix)
	if err != nil {
		return err
	}
	var stored admin.Delivery
	if err := c.get(ctx, request{path: "/runs/" + found.ID + "/delivery"}, &stored); err != nil {
		return err
	}
	edited, changed, err := a.edit(ctx, found.ID, stored)
	if err != nil {
		return err
	}
	again := request{method: http.MethodPost, path: "/runs/" + found.ID + "/replay"}
	if changed {
		again.query, again.body = url.Values{"edited": {"true"}}, edited.payload
	} else if !isPerson() || !a.agrees("The payload is as it was. Send it again all the same?") {
		edited.remove()
		return errors.New("the payload is as it was, and was not sent again")
	}
	var result admin.Done
	if err := c.get(ctx, again, &result); err != nil {
		return fmt.Errorf("%w (what you edited is in %s)", err, edited.path)
	}
	edited.remove()
	a.tellDone(act, result)
	return nil
}
