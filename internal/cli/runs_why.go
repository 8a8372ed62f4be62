package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/explain"
	"github.com/pawlhq/pawl/internal/hook"
)

// whyOfRun is what runs why tells of a run.
type whyOfRun struct {
	Run         admin.Run           `json:"run"`
	Explanation explain.Explanation `json:"explanation"`
}

func (a *app) newRunsWhy(i *instance) *cobra.Command {
	var output outputFlag
	most := 0
	command := &cobra.Command{
		Use:   "why [ID | HOOK]",
		Short: "Tell why deliveries made no run, and why a run runs or waits",
		Long: `Tell which deliveries made no run, the last first, with the reasons: they were not
authentic, did not fit, no rule held, or no hook is at their path. With a HOOK
those of that hook; with the ID of a delivery, Pawl's or the sender's own, all that
was asked and found. With the ID of a run: why it runs, by the hook as it is today,
and what it waits for. The beginning of an ID is enough.

The running Pawl keeps the last 200 such deliveries in memory, without secrets and
bodies; of a flood it looks at some 50 a second.

Exit statuses: 0 told, also that there are none; 1 there is no such delivery or
run, or no Pawl answers; 2 wrong flags.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("give one ID or HOOK, or none, not %d", len(args))}
			}
			return nil
		},
		RunE: func(command *cobra.Command, args []string) error {
			c, err := a.connect(command.Context(), i)
			if err != nil {
				return err
			}
			if most < 0 {
				return usageError{fmt.Errorf("-n is %d and cannot be negative", most)}
			}
			if len(args) == 0 {
				return a.whyList(command.Context(), c, "", most, &output)
			}
			return a.whyOf(command.Context(), c, args[0], most, &output)
		},
	}
	command.Flags().IntVarP(&most, "limit", "n", 0, "how many are listed at most; 0: all")
	addOutput(command, &output, "json")
	return command
}

// whyOf tells of a delivery, a run or a hook, whatever the word means.
func (a *app) whyOf(ctx context.Context, c *client, word string, most int, output *outputFlag) error {
	hooks, err := c.hookIDs(ctx)
	if err != nil {
		return err
	}
	if slices.Contains(hooks, word) {
		return a.whyList(ctx, c, word, most, output)
	}
	var kept explain.TurnedAway
	err = c.get(ctx, request{path: "/turned-away/" + url.PathEscape(word)}, &kept)
	if err == nil {
		return a.whyDelivery(kept, output)
	}
	if !isNotFound(err) {
		return err
	}
	if strings.Trim(strings.ToLower(word), "0123456789abcdef-") == "" {
		found, err := c.run(ctx, word)
		if err == nil {
			return a.whyRun(ctx, c, found, output)
		}
		if !isNotFound(err) {
			return err
		}
	}
	return fmt.Errorf("%q is no hook%s, no run, and none of the last deliveries that made no run", word, hook.Suggestion(word, hooks))
}

// hookIDs asks for the ids of all hooks.
func (c *client) hookIDs(ctx context.Context) ([]string, error) {
	var listed struct{ Hooks []admin.Hook }
	if err := c.get(ctx, request{path: "/hooks"}, &listed); err != nil {
		return nil, err
	}
	ids := make([]string, len(listed.Hooks))
	for i, h := range listed.Hooks {
		ids[i] = h.ID
	}
	return ids, nil
}

// whyList prints the deliveries that made no run.
func (a *app) whyList(ctx context.Context, c *client, hook string, most int, output *outputFlag) error {
	query := url.Values{}
	if hook != "" {
		query.Set("hook", hook)
	}
	var listing admin.TurnedAwayListing
	if err := c.get(ctx, request{path: "/turned-away", query: query}, &listing); err != nil {
		return err
	}
	if most > 0 {
		listing.TurnedAway = listing.TurnedAway[:min(most, len(listing.TurnedAway))]
	}
	if output.json() {
		return printJSON(a.stdout, listing)
	}
	if len(listing.TurnedAway) == 0 {
		fmt.Fprintf(a.stderr, "no delivery%s was turned away since Pawl started\n", after(" to hook ", clean(hook)))
	} else {
		whyTable(listing.TurnedAway, hook, time.Now()).print(a.stdout)
	}
	if listing.Skipped > 0 {
		fmt.Fprintf(a.stderr, "there were %d more, of which nothing is kept: they came too fast, or were too large to keep\n", listing.Skipped)
	}
	return nil
}

func whyTable(all []explain.TurnedAway, hook string, now time.Time) *list {
	l := &list{columns: []column{
		{title: "DELIVERY"}, {title: "AGE", right: true}, {title: "HOOK", cut: true}, {title: "FROM", spare: 1},
		{title: "ANSWER", right: true, spare: 2}, {title: "OUTCOME"}, {title: "WHY", cut: true, least: 45},
	}}
	for _, kept := range all {
		row := func(hook, outcome, why string) {
			l.add(shortID(kept.ID), age(now.Sub(kept.Received)), hook, callerText(kept.RemoteAddr), strconv.Itoa(kept.Status), outcome, why)
		}
		if len(kept.Explanations) == 0 {
			row("", "no hook", "no hook is at "+kept.Path)
		}
		for _, e := range kept.Explanations {
			if hook == "" || e.Hook == hook {
				row(e.Hook, string(e.Outcome), e.Reason)
			}
		}
	}
	return l
}

// callerText is an address without its port.
func callerText(remote string) string {
	if at := strings.LastIndexByte(remote, ':'); at > 0 {
		return strings.Trim(remote[:at], "[]")
	}
	return remote
}

// whyDelivery prints all that is known of a delivery that made no run.
func (a *app) whyDelivery(kept explain.TurnedAway, output *outputFlag) error {
	if output.json() {
		return printJSON(a.stdout, kept)
	}
	now := time.Now()
	fmt.Fprintf(a.stdout, "delivery %s, %s\n%s %s from %s, %s, answered %d %s\n\n", kept.ID, moment(kept.Received, now),
		clean(kept.Method), clean(kept.Path), clean(callerText(kept.RemoteAddr)), bytesText(int64(kept.Size)), kept.Status, http.StatusText(kept.Status))
	if len(kept.Explanations) == 0 {
		fmt.Fprintln(a.stdout, "no hook is at this path; pawl runs hooks lists them")
	}
	for i, e := range kept.Explanations {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		newTree(a.stdout).explanation(e)
	}
	return nil
}

// whyRun prints why a run runs, and what it waits for.
func (a *app) whyRun(ctx context.Context, c *client, found admin.Run, output *outputFlag) error {
	why := whyOfRun{Run: found}
	if err := c.get(ctx, request{path: "/runs/" + found.ID + "/explanation"}, &why.Explanation); err != nil {
		return err
	}
	if output.json() {
		return printJSON(a.stdout, why)
	}
	fmt.Fprintf(a.stdout, "run %s, %s%s\n", found.ID, found.State, after(": ", clean(found.Reason)))
	if found.Waiting != nil {
		fmt.Fprintf(a.stdout, "it waits: %s\n", clean(waitingText(found.Waiting)))
	}
	if found.Origin != nil {
		fmt.Fprintf(a.stdout, "it is of %s\n", originText(found.Origin))
	}
	fmt.Fprintf(a.stdout, "\nits delivery, by the hook as it is today:\n")
	newTree(a.stdout).explanation(why.Explanation)
	return nil
}
