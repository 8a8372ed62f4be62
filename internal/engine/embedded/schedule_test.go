package embedded

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/hook"
)

// noon is when these tests play; the scheduler knows no clock of its own.
var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// plant makes a lane with runs that are ready.
func plant(s *schedule, id int64, q hook.Queue, runs int) *lane {
	l := &lane{id: id, name: fmt.Sprint(id), whole: true}
	l.set(&hook.Hook{ID: l.name, Queue: q})
	s.add(l)
	for place := range runs {
		s.put(&ticket{seq: int64(place), place: int64(place), lane: l}, noon)
	}
	return l
}

// turns starts what may start and tells of which lanes.
func turns(s *schedule, now time.Time, most int) (ids []int64) {
	for len(ids) < most {
		l := s.next(now)
		if l == nil {
			return ids
		}
		s.head(l)
		s.started(l, now)
		s.look(l, now)
		ids = append(ids, l.id)
	}
	return ids
}

func TestTurns(t *testing.T) {
	type planted struct {
		queue hook.Queue
		runs  int
	}
	for _, c := range []struct {
		name  string
		free  int
		lanes []planted
		want  []int64
	}{
		{"nobody waits", 5, []planted{{hook.Queue{}, 0}}, nil},
		{"no place is free", 0, []planted{{hook.Queue{}, 3}}, nil},
		{"one after the other", 4, []planted{{hook.Queue{}, 9}, {hook.Queue{}, 9}, {hook.Queue{}, 1}}, []int64{0, 1, 2, 0}},
		{"a hook's own limit", 9, []planted{{hook.Queue{MaxConcurrent: 2}, 9}, {hook.Queue{}, 3}}, []int64{0, 1, 0, 1, 1}},
		{"priority before turns", 4, []planted{{hook.Queue{Priority: -1}, 9}, {hook.Queue{Priority: 5}, 2}, {hook.Queue{}, 1}}, []int64{1, 1, 2, 0}},
		{"a rate", 9, []planted{{hook.Queue{Rate: hook.Rate{Starts: 2, Per: time.Minute}}, 9}}, []int64{0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSchedule(c.free)
			for id, p := range c.lanes {
				plant(s, int64(id), p.queue, p.runs)
			}
			if got := turns(s, noon, 100); !slices.Equal(got, c.want) {
				t.Errorf("the turns were %v, want %v", got, c.want)
			}
		})
	}
}

func TestARateLetsTheNextGoExactlyWhenItsSpanIsOver(t *testing.T) {
	s := newSchedule(100)
	l := plant(s, 1, hook.Queue{Rate: hook.Rate{Starts: 2, Per: time.Minute}}, 9)
	turns(s, noon, 1)
	turns(s, noon.Add(10*time.Second), 100)
	if want := noon.Add(time.Minute); !l.wake.Equal(want) {
		t.Fatalf("its alarm is set to %s, want %s", l.wake, want)
	}
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{time.Minute - 1, 0}, {time.Minute, 1}, {70*time.Second - 1, 0}, {70 * time.Second, 1}, {2 * time.Minute, 1}} {
		now := noon.Add(c.after)
		if rung := s.rung(now); rung != nil {
			s.look(rung, now)
		}
		if got := len(turns(s, now, 100)); got != c.want {
			t.Errorf("after %s %d started, want %d", c.after, got, c.want)
		}
	}
}

func TestAPausedOrHeldLaneStartsNothing(t *testing.T) {
	s := newSchedule(10)
	l := plant(s, 1, hook.Queue{}, 3)
	l.paused = "by hand"
	if got := turns(s, noon, 9); got != nil {
		t.Errorf("paused: %v", got)
	}
	l.paused, l.hook = "", nil
	s.again(noon)
	if got := turns(s, noon, 9); got != nil {
		t.Errorf("held: %v", got)
	}
	l.hook = &hook.Hook{}
	s.again(noon)
	if got := turns(s, noon, 9); len(got) != 3 {
		t.Errorf("afterwards %v, want 3 starts", got)
	}
}

// A window holds the next runs by place and no more; what comes behind its end
// stays in the journal, so that no run is overtaken.
func TestWindow(t *testing.T) {
	s := newSchedule(0)
	l := plant(s, 1, hook.Queue{}, windowSize+10)
	if len(l.window) != windowSize || l.whole || s.tickets != windowSize {
		t.Fatalf("the window holds %d of %d counted, whole: %v", len(l.window), s.tickets, l.whole)
	}
	s.put(&ticket{seq: 9999, place: 9999, lane: l}, noon)
	s.put(&ticket{seq: 5, place: 5, lane: l}, noon) // it is there already
	s.put(&ticket{seq: 8888, place: -1, lane: l}, noon)
	if len(l.window) != windowSize || l.window[0].seq != 8888 || l.window[windowSize-1].place != windowSize-2 {
		t.Errorf("the window holds %d, from %d to %d", len(l.window), l.window[0].place, l.window[len(l.window)-1].place)
	}
	s.take(l, 8888)
	if len(l.window) != windowSize-1 || s.tickets != windowSize-1 {
		t.Errorf("one was taken, %d are left, %d counted", len(l.window), s.tickets)
	}
}

func TestWindowsKeepLittleMemory(t *testing.T) {
	s := newSchedule(0)
	l := plant(s, 1, hook.Queue{}, 0)
	for id := range int64(1000) {
		l := plant(s, 2+id, hook.Queue{}, 0)
		for place := range int64(windowSize) {
			s.put(&ticket{seq: place, place: place, lane: l, content: make([]byte, 1000)}, noon)
		}
	}
	if s.cached > allCached || s.tickets > manyTickets+1001*smallWindow {
		t.Errorf("the windows keep %d bytes and %d runs", s.cached, s.tickets)
	}
	s.put(&ticket{lane: l, content: make([]byte, 10)}, noon)
	if len(l.window) != 1 || s.next(noon) != nil {
		t.Error("a lane without memory left has no window, or something starts without a place")
	}
	for _, l := range s.byID {
		for s.head(l) != nil {
		}
	}
	if s.cached != 0 || s.tickets != 0 {
		t.Errorf("nothing is kept, but counted are %d bytes and %d runs", s.cached, s.tickets)
	}
}
