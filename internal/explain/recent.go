package explain

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pawlhq/pawl/internal/rule"
)

// TurnedAway is a delivery that made no run, as Recent keeps it.
type TurnedAway struct {
	ID           string        `json:"id"` // of the delivery
	Received     time.Time     `json:"received"`
	Method       string        `json:"method"`
	Path         string        `json:"path"` // secrets are masked
	RemoteAddr   string        `json:"remote_addr"`
	Size         int           `json:"body_bytes"`
	Status       int           `json:"status"`       // that was answered
	Explanations []Explanation `json:"explanations"` // of each hook at the path that takes the method; none: no hook is there
}

// The bounds of what Recent keeps, and of how much it lets be explained: whoever is
// turned away, and need not be known, may cause it.
const (
	maxKept  = 4 << 20 // bytes of all, as JSON
	maxOne   = 64 << 10
	perTime  = 50 // explanations in a second, and at once
	maxField = 1 << 10

	timeShare = 20                     // one part of so many of the time is for explanations
	timeSaved = 500 * time.Millisecond // of it, at most, for what comes at once
)

// Recent keeps the last deliveries that made no run, in memory. It may be used
// from several goroutines.
type Recent struct {
	most int

	mu      sync.Mutex
	kept    []entry // the oldest first
	size    int     // of kept, in bytes
	tokens  float64
	left    time.Duration // for explanations; less than nothing after a long one
	counted time.Time     // when tokens and left were
	skipped int64

	explaining chan struct{} // who explains has put one in
}

type entry struct {
	TurnedAway
	size int
}

// NewRecent makes a Recent of at most so many.
func NewRecent(most int) *Recent {
	return &Recent{most: most, tokens: perTime, left: timeSaved, explaining: make(chan struct{}, 1)}
}

// Allow reports whether there is time to explain another now: of a flood, or of
// deliveries that take long to explain, only some are kept, and Skipped counts the
// others.
func (r *Recent) Allow(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	passed := max(0, now.Sub(r.counted)) // the clock may be set back
	r.tokens = min(perTime, r.tokens+passed.Seconds()*perTime)
	r.left = min(timeSaved, r.left+passed/timeShare)
	r.counted = now
	if r.tokens < 1 || r.left <= 0 {
		r.skipped++
		return false
	}
	r.tokens--
	return true
}

// AllowLost is Allow of one that came to no hook. Those get half of the time, so
// that whoever looks for open doors takes no other's.
func (r *Recent) AllowLost(now time.Time) bool {
	if !r.Allow(now) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tokens >= perTime/2 {
		return true
	}
	r.tokens++
	r.skipped++
	return false
}

// Explain makes an explanation, one at a time, and keeps it, if there is still time
// once it is its turn: who waits has got its answer, but holds a body. What it
// takes is taken from the time for the next ones.
func (r *Recent) Explain(make func() TurnedAway) {
	r.explaining <- struct{}{}
	defer func() { <-r.explaining }()
	r.mu.Lock()
	late := r.left <= 0
	if late {
		r.skipped++
	}
	r.mu.Unlock()
	if late {
		return
	}
	began := time.Now()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.left -= time.Since(began)
	}()
	r.Add(make())
}

// Add keeps one, and forgets the oldest where there are too many.
func (r *Recent) Add(t TurnedAway) {
	t.Method, t.Path = rule.Cut(t.Method, maxField), rule.Cut(t.Path, maxField)
	e := entry{t, sizeOf(t)}
	if e.size > maxOne {
		e.TurnedAway = t.brief()
		e.size = sizeOf(e.TurnedAway)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.size > maxOne || r.most < 1 {
		r.skipped++
		return
	}
	r.kept = append(r.kept, e)
	r.size += e.size
	if isLost(e) {
		r.forgetLost()
	}
	for len(r.kept) > r.most || r.size > maxKept {
		r.forget(0)
	}
}

// isLost reports whether one came to no hook.
func isLost(e entry) bool { return len(e.Explanations) == 0 }

// forgetLost keeps those that came to no hook from filling more than a quarter:
// whoever looks for open doors sends many.
func (r *Recent) forgetLost() {
	lost := 0
	for _, e := range r.kept {
		if isLost(e) {
			lost++
		}
	}
	if lost > max(1, r.most/4) {
		r.forget(slices.IndexFunc(r.kept, isLost))
	}
}

func (r *Recent) forget(at int) {
	r.size -= r.kept[at].size
	r.kept = slices.Delete(r.kept, at, at+1)
}

// brief leaves the outcomes and reasons of one that is too large.
func (t TurnedAway) brief() TurnedAway {
	explanations := make([]Explanation, 0, min(len(t.Explanations), 16))
	for _, e := range t.Explanations[:min(len(t.Explanations), 16)] {
		explanations = append(explanations, Explanation{
			Hook: e.Hook, At: e.At, Outcome: e.Outcome, Authenticated: e.Authenticated, Sender: e.Sender,
			Reason: cut(e.Reason), Event: cut(e.Event), DeliveryID: cut(e.DeliveryID), Answer: e.Answer,
		})
	}
	t.Explanations = explanations
	return t
}

// sizeOf is about how many bytes one takes.
func sizeOf(t TurnedAway) int {
	text, err := json.Marshal(t)
	if err != nil {
		return maxOne + 1 // plain data: it cannot be
	}
	return len(text)
}

// List gives them, the newest first; of one hook where hook is not "".
func (r *Recent) List(hook string) []TurnedAway {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]TurnedAway, 0, len(r.kept))
	for _, e := range slices.Backward(r.kept) {
		if hook == "" || slices.ContainsFunc(e.Explanations, func(x Explanation) bool { return x.Hook == hook }) {
			list = append(list, e.TurnedAway)
		}
	}
	return list
}

// Find gives the newest whose id begins so, or the sender's own id of it, and says
// how many there are.
func (r *Recent) Find(id string) (found TurnedAway, matches int) {
	if id == "" {
		return found, 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range slices.Backward(r.kept) {
		if !e.isCalled(id) {
			continue
		}
		if matches++; matches == 1 {
			found = e.TurnedAway
		}
	}
	return found, matches
}

// isCalled reports whether an id, or the beginning of one, means the delivery.
func (t *TurnedAway) isCalled(id string) bool {
	begins := func(whole string) bool { return len(whole) >= len(id) && strings.EqualFold(whole[:len(id)], id) }
	return begins(t.ID) || slices.ContainsFunc(t.Explanations, func(e Explanation) bool { return begins(e.DeliveryID) })
}

// Skipped is how many were not kept for want of time.
func (r *Recent) Skipped() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.skipped
}
