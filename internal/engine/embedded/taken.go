package embedded

import "time"

// tellEvery is how often the log says that runs wait for a place.
const tellEvery = time.Minute

// tellTaken warns, once in a while, that runs wait for nothing but a place, and
// names the hook whose script has had one longest: it may hang.
func (e *Engine) tellTaken(now time.Time) {
	l := &e.loop
	if l.schedule.free > 0 || len(l.active) == 0 || !l.toldTaken.IsZero() && now.Sub(l.toldTaken) < tellEvery || !l.schedule.ready(now) {
		return
	}
	var longest *attempt
	for _, a := range l.active {
		if !a.isBeside && (longest == nil || a.begun.Before(longest.begun)) {
			longest = a
		}
	}
	if longest == nil {
		return
	}
	l.toldTaken = now
	e.options.Log.Warn().Int("waiting", l.schedule.waiting).Str("hook", longest.hookName).Str("run", longest.id).
		Stringer("for", time.Since(longest.begun).Round(time.Second)).
		Msg("runs wait: all places for scripts (-max-concurrent) are taken, longest by this run's")
}

// ready reports whether a lane may start a run as soon as there is a place.
func (s *schedule) ready(now time.Time) bool {
	for _, line := range s.lines {
		for _, l := range line.lanes[line.first:] {
			if able, _ := l.able(now); able {
				return true
			}
		}
	}
	return false
}
