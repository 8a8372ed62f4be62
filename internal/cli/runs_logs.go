package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/run"
)

// logsOptions is what runs logs is told.
type logsOptions struct {
	follow  bool
	attempt int // 0: all
	output  outputFlag
}

func (a *app) newRunsLogs(i *instance) *cobra.Command {
	var o logsOptions
	command := &cobra.Command{
		Use:   "logs ID",
		Short: "Show what a run's script printed",
		Long: `Show what the attempts of a run printed, in their order, as far as it is kept
(keep.output); where the middle is left out, a line says how much. With -f it goes
on until the run ends, through all further attempts.

Exit statuses: 0 shown, whatever became of the run; 1 there is no such run, or no
Pawl answers; 2 wrong flags.`,
		Args: wantOne("ID"),
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case o.follow && (o.attempt != 0 || o.output.json()):
				return usageError{errors.New("-f goes with neither -attempt nor -o json")}
			case o.attempt < 0 || command.Flags().Changed("attempt") && o.attempt == 0:
				return usageError{errors.New("-attempt counts from 1")}
			}
			c, err := a.connect(command.Context(), i)
			if err != nil {
				return err
			}
			return a.runRunsLogs(command.Context(), c, args[0], &o)
		},
	}
	command.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on until the run ends")
	command.Flags().IntVar(&o.attempt, "attempt", 0, "only this attempt, by its number")
	addOutput(command, &o.output, "json")
	return command
}

func (a *app) runRunsLogs(ctx context.Context, c *client, prefix string, o *logsOptions) error {
	found, err := c.run(ctx, prefix)
	if err != nil {
		return err
	}
	switch {
	case o.output.json():
		return a.logsJSON(ctx, c, found, o.attempt)
	case o.attempt > 0:
		one, err := c.output(ctx, found.ID, o.attempt)
		if err != nil {
			return err
		}
		return one.write(a.logWriter())
	}
	if found.Waiting != nil {
		fmt.Fprintf(a.stderr, "%s: %s\n", found.State, waitingText(found.Waiting))
	}
	query := url.Values{}
	if o.follow {
		query.Set("follow", "true")
	}
	answer, err := c.ask(ctx, request{path: "/runs/" + found.ID + "/log", query: query})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	end := &lastByte{in: answer.Body}
	if _, err := io.Copy(a.logWriter(), end); err != nil {
		return fmt.Errorf("the log of run %s breaks off: %w", found.ID, err)
	}
	if !o.follow {
		return nil
	}
	if end.last != 0 && end.last != '\n' {
		fmt.Fprintln(a.stderr) // the script left the line open
	}
	if found, err = c.run(ctx, found.ID); err != nil {
		return err
	}
	if !found.State.Final() {
		return errors.New("the log breaks off before the run has ended: does Pawl stop?")
	}
	fmt.Fprintf(a.stderr, "%s%s\n", found.State, after(": ", clean(found.Reason)))
	return nil
}

// lastByte knows the last byte that was read; 0: none was.
type lastByte struct {
	in   io.Reader
	last byte
}

func (l *lastByte) Read(p []byte) (int, error) {
	n, err := l.in.Read(p)
	if n > 0 {
		l.last = p[n-1]
	}
	return n, err
}

// waitingText says what a run waits for.
func waitingText(w *admin.Waiting) string {
	if strings.Contains(w.For, w.Behind) {
		return clean(w.For)
	}
	return clean(w.For + ", behind run " + w.Behind)
}

// logWriter is where logs go: to a terminal without what could tell it to do
// something, but for colours.
func (a *app) logWriter() io.Writer {
	if isTerminal(a.stdout) {
		return &colourOnly{out: a.stdout}
	}
	return a.stdout
}

// attemptOutput is what an attempt printed.
type attemptOutput struct {
	Attempt int     `json:"attempt"`
	End     run.End `json:"end,omitempty"`
	Output  string  `json:"output"`
	Head    int     `json:"head_bytes"`    // of output came first
	Omitted int64   `json:"omitted_bytes"` // came after them, and are not kept
}

// output asks for what an attempt printed.
func (c *client) output(ctx context.Context, id string, attempt int) (attemptOutput, error) {
	answer, err := c.ask(ctx, request{path: "/runs/" + id + "/output", query: url.Values{"attempt": {strconv.Itoa(attempt)}}})
	if err != nil {
		return attemptOutput{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return attemptOutput{}, err
	}
	one := attemptOutput{Attempt: attempt, Output: string(text), Head: len(text)}
	if omitted := answer.Header.Get(admin.OmittedHeader); omitted != "" && omitted != "0" {
		one.Omitted, err = strconv.ParseInt(omitted, 10, 64)
		if err == nil {
			one.Head, err = strconv.Atoi(answer.Header.Get(admin.HeadHeader))
		}
		one.Head = min(max(one.Head, 0), len(text))
	}
	return one, err
}

func (o attemptOutput) write(out io.Writer) error {
	if o.Omitted == 0 {
		_, err := io.WriteString(out, o.Output)
		return err
	}
	_, err := fmt.Fprintf(out, "%s\n… %d bytes are left out here …\n%s", o.Output[:o.Head], o.Omitted, o.Output[o.Head:])
	return err
}

// logsJSON prints a JSON object a line for each attempt that has ended.
func (a *app) logsJSON(ctx context.Context, c *client, found admin.Run, attempt int) error {
	encoder := json.NewEncoder(a.stdout)
	encoder.SetEscapeHTML(false)
	for _, one := range found.Attempts {
		if one.End == "" || attempt > 0 && one.Number != attempt {
			continue
		}
		output, err := c.output(ctx, found.ID, one.Number)
		if err != nil {
			return err
		}
		output.End = one.End
		if err := encoder.Encode(output); err != nil {
			return err
		}
	}
	return nil
}
