package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	ansi "github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// lsOptions is what runs ls is told.
type lsOptions struct {
	filter admin.Filter
	limit  int // 0: all
	output outputFlag
}

func (a *app) newRunsLs(i *instance) *cobra.Command {
	var filter runFilter
	var o lsOptions
	command := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List runs, the newest first",
		Long: `List runs, the newest first.

TOOK is the time of the last attempt, TRY its number. An empty REASON is that of
a run that ended well. ID is as much of an id as is needed; -o wide shows all of it.

Exit statuses: 0 listed; 1 no Pawl answers; 2 wrong flags.`,
		Example: `  pawl runs ls -state failed -since 2h
  pawl runs ls -hook deploy -n 10 -o json`,
		Args: wantNone,
		RunE: func(command *cobra.Command, _ []string) error {
			if o.limit < 0 {
				return usageError{errors.New("-n must not be negative; 0 is all")}
			}
			c, err := a.connect(command.Context(), i)
			if err != nil {
				return err
			}
			o.filter = filter.filter()
			return a.runRunsLs(command.Context(), c, &o)
		},
	}
	filter.addTo(command)
	command.Flags().IntVarP(&o.limit, "limit", "n", 50, "how many at most; 0: all")
	addOutput(command, &o.output, "wide", "json")
	return command
}

func (a *app) runRunsLs(ctx context.Context, c *client, o *lsOptions) error {
	size := o.limit
	if size == 0 || size > engine.MaxPage {
		size = engine.MaxPage
	}
	runs := []admin.Run{}
	err := c.runs(ctx, o.filter, size, func(r admin.Run) bool {
		runs = append(runs, r)
		return o.limit == 0 || len(runs) < o.limit
	})
	if err != nil {
		return err
	}
	if o.output.json() {
		return printJSON(a.stdout, runs)
	}
	if len(runs) == 0 {
		fmt.Fprintln(a.stderr, "no runs")
		return nil
	}
	listRuns(runs, time.Now(), o.output.format == "wide").print(a.stdout)
	if o.limit > 0 && len(runs) == o.limit && isTerminal(a.stdout) {
		fmt.Fprintf(a.stderr, "(the newest %d; -n 0 lists all)\n", o.limit)
	}
	return nil
}

// listRuns makes a list of runs.
func listRuns(runs []admin.Run, now time.Time, wide bool) *list {
	l := &list{columns: []column{
		{title: "ID"}, {title: "STATE"}, {title: "HOOK", cut: true}, {title: "KEY", cut: true, spare: 4},
		{title: "AGE", right: true, spare: 3}, {title: "TOOK", right: true, spare: 1}, {title: "TRY", right: true, spare: 2}, {title: "REASON", cut: true},
	}}
	for _, r := range runs {
		id := shortID(r.ID)
		if wide {
			id = r.ID
		}
		key, tookText, try := "", "", ""
		if r.Key != nil {
			key = *r.Key
		}
		if r.State == run.Running || !r.Started.IsZero() && !r.Ended.IsZero() {
			tookText = took(r.Took)
		}
		if r.Attempt > 0 {
			try = strconv.Itoa(r.Attempt)
		}
		l.add(id, string(r.State), r.Hook, key, age(now.Sub(r.Accepted)), tookText, try, shortReason(r, now))
	}
	l.colour = func(row []string, at int) ansi.Colors {
		if at == 1 {
			return stateColours(run.State(row[1]))
		}
		return nil
	}
	return l
}

// shortReason is why a run is as it is, as far as its state does not say it.
func shortReason(r admin.Run, now time.Time) string {
	reason := r.Reason
	switch {
	case r.SupersededBy != "":
		reason = "by " + shortID(r.SupersededBy)
	case r.NotBefore.After(now) && r.State == run.Retrying:
		reason = "again in " + age(r.NotBefore.Sub(now)+time.Second) + after("; ", r.Reason)
	case r.NotBefore.After(now) && r.State == run.Queued:
		reason = "rests for " + age(r.NotBefore.Sub(now)+time.Second) + after("; ", r.Reason)
	}
	if r.Origin != nil && r.Origin.Edited {
		reason = strings.TrimSpace(reason + " (edited by hand)")
	}
	return reason
}

// after is a text with what stands before it, or nothing.
func after(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}
