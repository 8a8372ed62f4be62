package embedded

import "time"

// Starting a script takes more of the processor than accepting a delivery, and
// whoever waits for an answer gives up sooner than a script does. So while many
// wait to be accepted at the same time only some scripts start; the others
// follow as soon as the crowd is gone, at the latest after yieldMost.
const (
	crowd     = 8                     // submissions at the same time that make a crowd
	yieldFor  = 20 * time.Millisecond // after it was seen last
	yieldMost = 3 * time.Second       // after the first; then for as long starts go first
	yieldGap  = 50 * time.Millisecond // without a crowd another one is a new one
)

// yielding is whether starts yield to accepting. Its zero value says no.
type yielding struct {
	since time.Time // the crowd came; zero: there is none
	last  time.Time // it was seen last
}

// see notes how many submissions wait to be accepted.
func (y *yielding) see(submissions int, now time.Time) {
	if !y.since.IsZero() && (now.Sub(y.last) > yieldGap || now.Sub(y.since) > 2*yieldMost) {
		y.since = time.Time{}
	}
	if submissions < crowd {
		return
	}
	if y.since.IsZero() {
		y.since = now
	}
	y.last = now
}

// until gives the time from which starts go as ever, zero if they do so now.
func (y *yielding) until(now time.Time) time.Time {
	if y.since.IsZero() || now.Sub(y.since) >= yieldMost {
		return time.Time{}
	}
	if calm := y.last.Add(yieldFor); calm.After(now) {
		return calm
	}
	return time.Time{}
}
