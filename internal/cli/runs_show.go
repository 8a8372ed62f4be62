package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/run"
)

// shown is all that runs show tells of a run.
type shown struct {
	admin.Run
	Artifacts []admin.Artifact `json:"artifacts,omitempty"`
	Summary   string           `json:"summary,omitempty"` // Markdown
}

func (a *app) newRunsShow(i *instance) *cobra.Command {
	var output outputFlag
	command := &cobra.Command{
		Use:   "show ID",
		Short: "Show one run: its attempts, what it waits for, its delivery, what it left behind",
		Long: `Show one run: its attempts, what it waits for and behind which run, the delivery
that it is for, its results, artifacts and summary.

Exit statuses: 0 shown, whatever became of the run; 1 there is no such run, or no
Pawl answers; 2 wrong flags.`,
		Args: wantOne("ID"),
		RunE: func(command *cobra.Command, args []string) error {
			c, err := a.connect(command.Context(), i)
			if err != nil {
				return err
			}
			return a.runRunsShow(command.Context(), c, args[0], &output)
		},
	}
	addOutput(command, &output, "json")
	return command
}

func (a *app) runRunsShow(ctx context.Context, c *client, prefix string, output *outputFlag) error {
	found, err := c.show(ctx, prefix)
	if err != nil {
		return err
	}
	if output.json() {
		return printJSON(a.stdout, found)
	}
	printRun(a.stdout, found, time.Now())
	return nil
}

// show asks for all there is about a run.
func (c *client) show(ctx context.Context, prefix string) (shown, error) {
	var s shown
	var err error
	if s.Run, err = c.run(ctx, prefix); err != nil {
		return s, err
	}
	var kept admin.Artifacts
	if err := c.get(ctx, request{path: "/runs/" + s.ID + "/artifacts"}, &kept); err != nil {
		return s, err
	}
	s.Artifacts = kept.Artifacts
	answer, err := c.ask(ctx, request{path: "/runs/" + s.ID + "/summary"})
	if isNotFound(err) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	s.Summary = string(text)
	return s, err
}

func printRun(out io.Writer, s shown, now time.Time) {
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(out, "%-12s %s\n", name, clean(value))
		}
	}
	state := string(s.State)
	if wantsColour(out) {
		state = stateColours(s.State).Sprint(state)
	}
	fmt.Fprintf(out, "%-12s %s\n%-12s %s\n", "run", s.ID, "state", state+after(": ", clean(s.Reason)))
	if s.Waiting != nil {
		field("waiting", waitingText(s.Waiting))
	}
	if s.NotBefore.After(now) {
		field("not before", moment(s.NotBefore, now))
	}
	field("replaced by", s.SupersededBy)
	field("hook", s.Hook)
	if s.Key != nil {
		field("key", *s.Key)
	}
	field("element", string(s.Element))
	field("accepted", moment(s.Accepted, now))
	if !s.Ended.IsZero() {
		field("ended", moment(s.Ended, now))
	}
	if s.Interrupted > 0 {
		field("interrupted", count(s.Interrupted, "time"))
	}
	field("origin", originText(s.Origin))
	printDelivery(field, s)
	printAttempts(out, s, now)
	printLeft(out, s)
}

// moment says when something is, and how far off.
func moment(at, now time.Time) string {
	off := age(now.Sub(at)) + " ago"
	if at.After(now) {
		off = "in " + age(at.Sub(now)+time.Second)
	}
	return at.Local().Format("2006-01-02 15:04:05 MST") + " (" + off + ")"
}

func originText(o *admin.Origin) string {
	switch {
	case o == nil:
		return ""
	case o.Kind == run.Replay && o.Edited:
		return "delivery " + o.Of + " sent again, edited by hand: nobody signed it"
	case o.Kind == run.Replay:
		return "delivery " + o.Of + " sent again by hand"
	}
	return string(o.Kind) + " of run " + o.Of
}

func printDelivery(field func(name, value string), s shown) {
	d := s.Delivery
	if d == nil {
		field("delivery", s.DeliveryID)
		return
	}
	field("delivery", d.ID)
	target := d.Path + after("?", d.Query)
	if d.Method != "" {
		field("", d.Method+" "+target+after(" from ", d.RemoteAddr))
	}
	field("", strings.TrimPrefix(after(", ", bytesText(int64(d.Size)))+after(" of ", d.ContentType)+after(", sender's id ", d.SenderID), ", "))
}

// printAttempts lists the attempts, and that which goes on.
func printAttempts(out io.Writer, s shown, now time.Time) {
	attempts := s.Attempts
	last := len(attempts) - 1
	if s.State == run.Running && (last < 0 || attempts[last].Number < s.Attempt) {
		attempts = append(attempts, admin.Attempt{Number: s.Attempt, Started: s.Started, Took: s.Took})
	}
	if len(attempts) == 0 {
		return
	}
	l := &list{columns: []column{
		{title: "TRY", right: true}, {title: "STARTED"}, {title: "TOOK", right: true}, {title: "END"},
		{title: "OUTPUT", right: true}, {title: "HOOK", spare: 1}, {title: "REASON", cut: true},
	}}
	for _, attempt := range attempts {
		started, end := "", string(attempt.End)
		if !attempt.Started.IsZero() {
			started = attempt.Started.Local().Format("2006-01-02 15:04:05")
		}
		switch {
		case attempt.ExitCode != nil:
			end = "exit " + strconv.Itoa(*attempt.ExitCode)
		case attempt.Signal != "":
			end = "signal: " + attempt.Signal
		case end == "":
			end = "running"
		}
		output := bytesText(attempt.Output)
		if attempt.Omitted > 0 {
			output += " of " + bytesText(attempt.Output+attempt.Omitted)
		}
		reason := strings.TrimPrefix(attempt.Reason, "exit status "+strings.TrimPrefix(end, "exit "))
		l.add(strconv.Itoa(attempt.Number), started, took(attempt.Took), end, output, attempt.HookHash, strings.TrimPrefix(reason, ": "))
	}
	fmt.Fprintln(out)
	l.print(out)
}

// printLeft tells what the run left behind.
func printLeft(out io.Writer, s shown) {
	if n := len(s.Attempts); n > 0 && len(s.Attempts[n-1].Results) > 0 {
		fmt.Fprintln(out, "\nresults")
		for _, result := range s.Attempts[n-1].Results {
			fmt.Fprintf(out, "  %s=%s\n", clean(result.Name), clean(result.Value))
		}
	}
	if len(s.Artifacts) > 0 {
		fmt.Fprintln(out, "\nartifacts")
		for _, artifact := range s.Artifacts {
			fmt.Fprintf(out, "  %-10s  %s\n", bytesText(artifact.Size), clean(artifact.Name))
		}
	}
	if s.Summary != "" {
		fmt.Fprintf(out, "\nsummary\n%s\n", strings.TrimRight(cleanBlock(s.Summary), "\n "))
	}
}
