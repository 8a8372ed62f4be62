package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/admin"
)

func (a *app) newRunsPause(i *instance) *cobra.Command {
	var reason string
	var output outputFlag
	command := &cobra.Command{
		Use:   "pause HOOK",
		Short: "Start no more runs of a hook",
		Long: `Start no more runs of a hook until it is resumed. Its deliveries are accepted as
before, and their runs wait; what runs already goes on. A restart changes nothing.

Exit statuses: 0 done; 1 there is no such hook, or no Pawl answers; 2 wrong flags.`,
		Args: wantOne("HOOK"),
		RunE: func(command *cobra.Command, args []string) error {
			text := "by " + cmp.Or(userName(), "hand") + ", " + time.Now().Format("2006-01-02 15:04") + after(": ", reason)
			return a.changeHook(command.Context(), i, args[0], "pause", map[string]string{"reason": text}, &output)
		},
	}
	command.Flags().StringVar(&reason, "reason", "", "why, for whoever finds it paused")
	addOutput(command, &output, "json")
	return command
}

func (a *app) newRunsResume(i *instance) *cobra.Command {
	var output outputFlag
	command := &cobra.Command{
		Use:   "resume HOOK",
		Short: "Start runs of a hook again that was paused",
		Long: `Start runs of a hook again that was paused, by hand or by queue.pause-after.

Exit statuses: 0 done; 1 there is no such hook, or no Pawl answers; 2 wrong flags.`,
		Args: wantOne("HOOK"),
		RunE: func(command *cobra.Command, args []string) error {
			return a.changeHook(command.Context(), i, args[0], "resume", struct{}{}, &output)
		},
	}
	addOutput(command, &output, "json")
	return command
}

func (a *app) changeHook(ctx context.Context, i *instance, id, verb string, body any, output *outputFlag) error {
	c, err := a.connect(ctx, i)
	if err != nil {
		return err
	}
	var changed admin.Hook
	if err := c.send(ctx, "/hooks/"+id+"/"+verb, body, &changed); err != nil {
		return err
	}
	if output.json() {
		return printJSON(a.stdout, changed)
	}
	fmt.Fprintf(a.stdout, "%s %sd: %s, %d running\n", clean(changed.ID), verb, waitingCount(changed.Waiting), changed.Running)
	return nil
}

func waitingCount(n int) string {
	if n == 1 {
		return "1 run waits"
	}
	return fmt.Sprintf("%d runs wait", n)
}

// userName is who sits at this terminal, where the system says it.
func userName() string {
	if current, err := user.Current(); err == nil {
		return current.Username
	}
	return ""
}

func (a *app) newRunsHooks(i *instance) *cobra.Command {
	var output outputFlag
	command := &cobra.Command{
		Use:   "hooks",
		Short: "List hooks with the runs that wait and run, and which are paused",
		Long: `List hooks with the runs that wait and run, how many failed in a row, and which
are paused and why. A hook that is gone is listed while runs of it wait.

Exit statuses: 0 listed; 1 no Pawl answers; 2 wrong flags.`,
		Args: wantNone,
		RunE: func(command *cobra.Command, _ []string) error {
			c, err := a.connect(command.Context(), i)
			if err != nil {
				return err
			}
			return a.runRunsHooks(command.Context(), c, &output)
		},
	}
	addOutput(command, &output, "json")
	return command
}

func (a *app) runRunsHooks(ctx context.Context, c *client, output *outputFlag) error {
	var answer struct{ Hooks []admin.Hook }
	if err := c.get(ctx, request{path: "/hooks", query: url.Values{}}, &answer); err != nil {
		return err
	}
	if output.json() {
		return printJSON(a.stdout, answer.Hooks)
	}
	l := &list{columns: []column{
		{title: "HOOK", cut: true}, {title: "WAITING", right: true}, {title: "RUNNING", right: true},
		{title: "FAILED", right: true}, {title: "PAUSED", cut: true},
	}}
	for _, h := range answer.Hooks {
		paused := h.Paused
		if !h.Loaded {
			paused = "(in no hook file)" + after(" ", paused)
		}
		l.add(h.ID, fmt.Sprint(h.Waiting), fmt.Sprint(h.Running), fmt.Sprint(h.Failures), paused)
	}
	l.print(a.stdout)
	return nil
}
