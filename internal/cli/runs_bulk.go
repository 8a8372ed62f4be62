package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/run"
)

// action is something that can be done with many runs.
type action struct {
	verb   string      // of the path, and of the question: retry
	done   string      // of what is told: tried once more
	states []run.State // that a filter without a state means
	once   bool        // one run of a delivery and hook stands for all
}

const (
	// atATime is how many runs are sent in one request at least, so that a bar
	// moves and many do not take many requests.
	atATime = 50
	// maxTold is how many runs' failures are told; -o json tells all.
	maxTold = 10
)

// newAction makes a command that does something with runs.
func (a *app) newAction(i *instance, act action, command *cobra.Command) *cobra.Command {
	var o choice
	o.addTo(command)
	command.Use = act.verb + " [ID]..."
	command.RunE = func(command *cobra.Command, args []string) error {
		if err := o.check(args); err != nil {
			return err
		}
		c, err := a.connect(command.Context(), i)
		if err != nil {
			return err
		}
		return a.runAction(command.Context(), c, act, &o, args)
	}
	return command
}

func (a *app) runAction(ctx context.Context, c *client, act action, o *choice, args []string) error {
	runs, err := o.chosen(ctx, c, args, act.states)
	if err != nil {
		return err
	}
	if act.once {
		runs = onePerDelivery(runs)
	}
	switch {
	case o.dryRun:
		return a.tellChosen(runs, &o.output)
	case len(runs) == 0:
		fmt.Fprintln(a.stderr, "no runs match")
		return nil
	case len(args) == 0 && !o.yes:
		if err := a.confirm(fmt.Sprintf("%s %s?", act.verb, count(len(runs), "run"))); err != nil {
			return err
		}
	}
	results, err := a.act(ctx, c, act, runs)
	return errors.Join(a.tellResults(act, results, o, len(args) > 0), err)
}

// onePerDelivery drops runs whose delivery another run of the same hook stands
// for: it makes the runs of all elements anew.
func onePerDelivery(runs []admin.Run) []admin.Run {
	type source struct{ delivery, hook string }
	seen := map[source]bool{}
	return slices.DeleteFunc(runs, func(r admin.Run) bool {
		from := source{r.DeliveryID, r.Hook}
		again := r.DeliveryID != "" && seen[from]
		seen[from] = true
		return again
	})
}

// tellChosen lists what a dry run would have changed.
func (a *app) tellChosen(runs []admin.Run, output *outputFlag) error {
	if output.json() {
		return printJSON(a.stdout, append([]admin.Run{}, runs...))
	}
	if len(runs) > 0 {
		listRuns(runs, time.Now(), false).print(a.stdout)
	}
	fmt.Fprintf(a.stderr, "%s; nothing was done\n", count(len(runs), "run"))
	return nil
}

// act sends the runs in parts, and shows a bar to a person.
func (a *app) act(ctx context.Context, c *client, act action, runs []admin.Run) (results []admin.Done, err error) {
	advance, end := a.bar(act.verb, len(runs))
	defer end()
	for part := range slices.Chunk(runs, min(max(atATime, len(runs)/100), admin.MaxIDs)) {
		request := admin.Bulk{}
		for _, r := range part {
			request.IDs = append(request.IDs, r.ID)
		}
		err := c.bulk(ctx, act.verb, request, func(result admin.Done) {
			results = append(results, result)
			advance()
		})
		if err != nil {
			return results, err
		}
	}
	return results, nil
}

// bulk sends a request for many runs, and reads the answers as they come.
func (c *client) bulk(ctx context.Context, verb string, bulk admin.Bulk, each func(admin.Done)) error {
	body, err := json.Marshal(bulk)
	if err != nil {
		return err
	}
	answer, err := c.ask(ctx, request{method: "POST", path: "/runs/" + verb, body: body})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	for decoder := json.NewDecoder(answer.Body); ; {
		var result admin.Done
		err := decoder.Decode(&result)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the answer breaks off: %w", err)
		}
		each(result)
	}
}

// fewRuns are done before a person could read a bar.
const fewRuns = 20

// bar shows a person how far it is.
func (a *app) bar(verb string, total int) (advance, end func()) {
	if total < fewRuns || !isTerminal(a.stderr) {
		return func() {}, func() {}
	}
	writer := progress.NewWriter()
	writer.SetOutputWriter(a.stderr)
	writer.SetAutoStop(true) // when the tracker is at its end
	writer.SetUpdateFrequency(100 * time.Millisecond)
	writer.SetTrackerPosition(progress.PositionRight)
	writer.SetStyle(progress.StyleBlocks)
	writer.Style().Visibility.TrackerOverall = false
	writer.Style().Visibility.ETA = true
	tracker := &progress.Tracker{Message: verb, Total: int64(total), Units: progress.UnitsDefault}
	writer.AppendTracker(tracker)
	rendered := make(chan struct{})
	go func() { defer close(rendered); writer.Render() }()
	return func() { tracker.Increment(1) }, func() {
		if !tracker.IsDone() {
			tracker.MarkAsErrored()
		}
		<-rendered
	}
}

// tellResults prints what became of each run that was named, and of many how
// many it was done with.
func (a *app) tellResults(act action, results []admin.Done, o *choice, named bool) error {
	if o.output.json() {
		if err := printJSON(a.stdout, append([]admin.Done{}, results...)); err != nil {
			return err
		}
	}
	done, failed := 0, 0
	for _, result := range results {
		switch {
		case !result.Done:
			if failed++; failed <= maxTold {
				fmt.Fprintf(a.stderr, "pawl: run %s: %s\n", result.ID, clean(result.Error))
			}
			continue
		case named && !o.output.json():
			a.tellDone(act, result)
		}
		done++
	}
	if failed > maxTold {
		fmt.Fprintf(a.stderr, "pawl: and %s more\n", count(failed-maxTold, "run"))
	}
	if !named && !o.output.json() {
		fmt.Fprintf(a.stdout, "%s %s\n", count(done, "run"), act.done)
	}
	if failed > 0 {
		return silentError{errors.New("not all could be done")}
	}
	return nil
}

// tellDone prints what was done with one run; of a replay the new runs.
func (a *app) tellDone(act action, result admin.Done) {
	fmt.Fprintf(a.stdout, "%s %s\n", result.ID, act.done)
	for _, id := range result.Runs {
		fmt.Fprintf(a.stdout, "  %s\n", id)
	}
}
