package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// runFilter is the flags that choose runs.
type runFilter struct {
	command *cobra.Command
	hook    string
	state   stateFlag
	key     string
	since   timeFlag
	before  timeFlag
}

func (f *runFilter) addTo(command *cobra.Command) {
	f.command = command
	command.Flags().StringVar(&f.hook, "hook", "", "only runs of this `hook`")
	command.Flags().Var(&f.state, "state", "only runs of this `state`: "+orList(stateNames()))
	command.Flags().StringVar(&f.key, "key", "", "only runs of this `key`")
	command.Flags().Var(&f.since, "since", "only runs accepted since this `time`: 2h or 7d ago, or as in 2026-01-31, 2026-01-31T15:04:05Z")
	command.Flags().Var(&f.before, "before", "only runs accepted before this `time`")
}

// given reports whether anything is chosen.
func (f *runFilter) given() bool {
	return slices.ContainsFunc([]string{"hook", "state", "key", "since", "before"}, f.command.Flags().Changed)
}

func (f *runFilter) filter() admin.Filter {
	filter := admin.Filter{Hook: f.hook, State: run.State(f.state), Since: time.Time(f.since), Before: time.Time(f.before)}
	if f.command.Flags().Changed("key") {
		filter.Key = &f.key
	}
	return filter
}

func stateNames() []string {
	var names []string
	for _, state := range run.States() {
		names = append(names, string(state))
	}
	return names
}

// stateFlag reads a state.
type stateFlag run.State

func (s *stateFlag) String() string { return string(*s) }
func (s *stateFlag) Type() string   { return "state" }

func (s *stateFlag) Set(text string) error {
	if !slices.Contains(stateNames(), text) {
		return fmt.Errorf("there is no such state%s; the states are %s", hook.Suggestion(text, stateNames()), orList(stateNames()))
	}
	*s = stateFlag(text)
	return nil
}

// timeFlag reads a time: as a duration before now, a day, or RFC 3339.
type timeFlag time.Time

func (t *timeFlag) Type() string { return "time" }

func (t *timeFlag) String() string {
	if t == nil || time.Time(*t).IsZero() {
		return ""
	}
	return time.Time(*t).Format(time.RFC3339)
}

func (t *timeFlag) Set(text string) error {
	if ago, err := parseAge(text); err == nil {
		*t = timeFlag(time.Now().Add(-ago))
		return nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			*t = timeFlag(at)
			return nil
		}
	}
	return errors.New("a time is given as 2h or 7d (ago), 2026-01-31, or 2026-01-31T15:04:05Z")
}

// ageFlag reads a duration that may be in days.
type ageFlag time.Duration

func (d *ageFlag) Type() string   { return "duration" }
func (d *ageFlag) String() string { return time.Duration(*d).String() }

func (d *ageFlag) Set(text string) error {
	parsed, err := parseAge(text)
	if err != nil {
		return err
	}
	*d = ageFlag(parsed)
	return nil
}

// maxDays keeps a number of days within a time.Duration.
const maxDays = 100_000

func parseAge(text string) (time.Duration, error) {
	wrong := errors.New("a duration is given as 90s, 15m, 2h, 7d or 2w")
	for unit, length := range map[string]float64{"d": 1, "w": 7} {
		days, ok := strings.CutSuffix(text, unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(days, 64)
		if n *= length; err != nil || !(n >= 0 && n <= maxDays) {
			return 0, wrong
		}
		return time.Duration(n * 24 * float64(time.Hour)), nil
	}
	parsed, err := time.ParseDuration(text)
	if err != nil || parsed < 0 {
		return 0, wrong
	}
	return parsed, nil
}
