package embedded

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"github.com/pawlhq/pawl/internal/hook"
)

// schedule decides whose turn it is. It lies in memory, touches no disk and
// knows no clock: it is a cache of the journal that can be thrown away and made
// again, and belongs to the loop alone.
//
// Each hook has a lane with a window of its next runs that may start. A lane
// that could start one stands in the line of its priority; next takes the first
// of the highest, and who took a turn goes to the end: turns are fair.
type schedule struct {
	free    int // places for attempts
	waiting int // runs of all lanes that wait
	tickets int // in all windows
	cached  int // bytes of deliveries in all windows

	byID  map[int64]*lane
	named map[string]*lane
	lines []*line // by priority, the highest first
	alarm alarms
}

// line is the lanes of one priority that may start a run, as far as is known:
// who no longer may is skipped when its turn comes.
type line struct {
	priority int
	lanes    []*lane
	first    int // those before it are gone
}

// lane is what the scheduler knows of a hook.
type lane struct {
	id   int64
	name string
	hook *hook.Hook // in force; nil: its runs are held

	paused    string // why; empty: it is not
	failures  int    // final ones in a row
	waiting   int    // runs that are ready, blocked, delayed or backing off
	running   int    // attempts of queued runs
	ended     int    // runs that are remembered
	bytes     int64  // of all its runs, about; artifacts too
	artifacts int64

	window []*ticket // its next ready runs, by place
	whole  bool      // the window holds all that are ready
	starts []time.Time
	oldest int // of starts, which is a ring when full

	inLine bool
	wake   time.Time // when it must be looked at again; zero: never
	index  int       // among the alarms

	expiry time.Time // not before then does a run of it expire; zero: none does
	ageing time.Time // not before then is a run of it too old to be kept; zero: none is

	dirty  bool  // what the journal has of the hook differs
	saved  int64 // bytes, as the journal has them
	listed bool  // among the lanes that this transaction touched
}

// ticket is what must be known of a run to start it and to end it.
type ticket struct {
	seq, place    int64
	id            string
	lane          *lane
	delivery      int64 // sequence
	deliveryID    string
	key           string
	keyed         bool
	element       string
	accepted      int64
	flags         int64
	depth         int
	attempt       int
	tries         int
	interruptions int
	size          int64
	content       []byte // of the delivery; nil: it is read when it is needed
}

// windowSize is how many runs of one hook are kept ready in memory. A window
// that has run empty is filled by one look into the journal.
const windowSize = 256

// All windows together keep about so many runs, above which each is but
// smallWindow, and so many bytes of deliveries. What is not kept is read when a
// run starts.
const (
	manyTickets  = 50_000
	smallWindow  = 16
	allCached    = 8 << 20
	singleCached = 16 << 10 // of one delivery
)

func newSchedule(free int) *schedule {
	return &schedule{free: free, byID: map[int64]*lane{}, named: map[string]*lane{}}
}

// add makes a lane of a hook that the journal knows.
func (s *schedule) add(l *lane) {
	l.index = -1
	s.byID[l.id], s.named[l.name] = l, l
}

// able reports whether a lane may start a run, as far as its own limits go, and
// if only its rate forbids it, until when.
func (l *lane) able(now time.Time) (bool, time.Time) {
	if l.hook == nil || l.paused != "" || len(l.window) == 0 && l.whole {
		return false, time.Time{}
	}
	return l.room(now)
}

// room is able for a run that is not in the window.
func (l *lane) room(now time.Time) (bool, time.Time) {
	if l.hook == nil || l.paused != "" {
		return false, time.Time{}
	}
	if most := l.hook.Queue.MaxConcurrent; most > 0 && l.running >= most {
		return false, time.Time{}
	}
	rate := l.hook.Queue.Rate
	if rate.Starts <= 0 || len(l.starts) < rate.Starts {
		return true, time.Time{}
	}
	if again := l.starts[l.oldest].Add(rate.Per); again.After(now) {
		return false, again
	}
	return true, time.Time{}
}

// started notes the start of an attempt of a queued run.
func (s *schedule) started(l *lane, now time.Time) {
	s.free--
	l.running++
	if l.hook != nil {
		l.noteStart(now)
	}
}

func (l *lane) noteStart(now time.Time) {
	most := l.hook.Queue.Rate.Starts
	switch {
	case most <= 0:
		l.starts, l.oldest = nil, 0
	case len(l.starts) < most:
		l.starts = append(l.starts, now)
	case len(l.starts) > most || l.oldest >= len(l.starts):
		l.resize(most)
		l.noteStart(now)
	default:
		l.starts[l.oldest] = now
		l.oldest = (l.oldest + 1) % most
	}
}

// resize keeps the newest starts, in order, when the rate has changed.
func (l *lane) resize(most int) {
	slices.SortFunc(l.starts, time.Time.Compare)
	if len(l.starts) > most {
		l.starts = slices.Clone(l.starts[len(l.starts)-most:])
	}
	l.oldest = 0
}

// set puts another definition of the hook in force.
func (l *lane) set(h *hook.Hook) {
	l.hook = h
	if h != nil {
		l.resize(max(h.Queue.Rate.Starts, 0))
	}
}

// left gives the place of an attempt back.
func (s *schedule) left(l *lane, now time.Time) {
	s.free++
	l.running--
	s.look(l, now)
}

// put enters a run that may start. What does not fit into the window stays in
// the journal alone.
func (s *schedule) put(t *ticket, now time.Time) {
	l := t.lane
	at, found := slices.BinarySearchFunc(l.window, t.place, func(a *ticket, place int64) int { return cmp.Compare(a.place, place) })
	if found || !l.whole && at == len(l.window) {
		s.look(l, now)
		return
	}
	l.window = slices.Insert(l.window, at, t)
	s.keep(t)
	for most := s.window(); len(l.window) > most; l.whole = false {
		last := len(l.window) - 1
		s.drop(l.window[last])
		l.window[last] = nil
		l.window = l.window[:last]
	}
	s.look(l, now)
}

// window is how many runs a lane may keep ready.
func (s *schedule) window() int {
	if s.tickets > manyTickets {
		return smallWindow
	}
	return windowSize
}

// keep counts a run that has come into a window, with its delivery if there is
// room for it.
func (s *schedule) keep(t *ticket) {
	s.tickets++
	if len(t.content) > singleCached || s.cached+len(t.content) > allCached {
		t.content = nil
	}
	s.cached += len(t.content)
}

// drop counts a run that has left a window.
func (s *schedule) drop(t *ticket) {
	s.tickets--
	s.cached -= len(t.content)
}

// take removes a run that no longer may start from the window.
func (s *schedule) take(l *lane, seq int64) {
	l.window = slices.DeleteFunc(l.window, func(t *ticket) bool {
		if t.seq == seq {
			s.drop(t)
		}
		return t.seq == seq
	})
}

// head takes the first run of a window, nil where it is empty.
func (s *schedule) head(l *lane) *ticket {
	if len(l.window) == 0 {
		return nil
	}
	t := l.window[0]
	l.window[0] = nil
	l.window = l.window[1:]
	s.drop(t)
	return t
}

// look enters a lane in its line if it may start a run, and sets its alarm.
func (s *schedule) look(l *lane, now time.Time) {
	able, again := l.able(now)
	if able && !l.inLine {
		l.inLine = true
		line := s.line(l.hook.Queue.Priority)
		line.lanes = append(line.lanes, l)
	}
	s.wake(l, soonest(again, l.expiry, l.ageing))
}

// soonest gives the earliest of times, of which those that are zero are none.
func soonest(times ...time.Time) (first time.Time) {
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// again puts the lanes in line anew, after hooks have changed.
func (s *schedule) again(now time.Time) {
	s.lines = nil
	for _, l := range s.byID {
		l.inLine = false
		s.look(l, now)
	}
}

// line gives the line of a priority.
func (s *schedule) line(priority int) *line {
	at, found := slices.BinarySearchFunc(s.lines, priority, func(l *line, p int) int { return cmp.Compare(p, l.priority) })
	if !found {
		s.lines = slices.Insert(s.lines, at, &line{priority: priority})
	}
	return s.lines[at]
}

// next takes the lane whose turn it is, or nil if none may start a run. The
// caller starts its head, and calls look.
func (s *schedule) next(now time.Time) *lane {
	if s.free <= 0 {
		return nil
	}
	for _, line := range s.lines {
		for line.first < len(line.lanes) {
			l := line.lanes[line.first]
			line.lanes[line.first] = nil
			line.first++
			l.inLine = false
			if able, _ := l.able(now); able {
				line.shrink()
				return l
			}
		}
		line.shrink()
	}
	return nil
}

// shrink gives memory of those who left back.
func (q *line) shrink() {
	if q.first == len(q.lanes) {
		q.lanes, q.first = q.lanes[:0], 0
	} else if q.first > 64 && q.first > len(q.lanes)/2 {
		q.lanes = slices.Delete(q.lanes, 0, q.first)
		q.first = 0
	}
}

// wake sets when a lane must be looked at again.
func (s *schedule) wake(l *lane, at time.Time) {
	if at.Equal(l.wake) {
		return
	}
	l.wake = at
	switch {
	case at.IsZero() && l.index >= 0:
		heap.Remove(&s.alarm, l.index)
	case at.IsZero():
	case l.index >= 0:
		heap.Fix(&s.alarm, l.index)
	default:
		heap.Push(&s.alarm, l)
	}
}

// rung gives the first lane whose alarm has gone off, or nil.
func (s *schedule) rung(now time.Time) *lane {
	if len(s.alarm) == 0 || s.alarm[0].wake.After(now) {
		return nil
	}
	l := heap.Pop(&s.alarm).(*lane)
	l.wake = time.Time{}
	return l
}

// alarms is a heap of lanes by when they must be looked at.
type alarms []*lane

func (a alarms) Len() int           { return len(a) }
func (a alarms) Less(i, j int) bool { return a[i].wake.Before(a[j].wake) }
func (a alarms) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].index, a[j].index = i, j
}

// Push adds a lane.
func (a *alarms) Push(x any) {
	l := x.(*lane)
	l.index = len(*a)
	*a = append(*a, l)
}

// Pop removes the last lane.
func (a *alarms) Pop() any {
	old := *a
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*a = old[:len(old)-1]
	l.index = -1
	return l
}
