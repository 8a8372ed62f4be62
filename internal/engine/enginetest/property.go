package enginetest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// property tries, with operations in any order, what holds for all of them:
// nothing that was accepted is lost; no two of a key, nor of a run, at once;
// order within a key; no limit exceeded; each end final once.
//
// rapid's flags (-rapid.checks, -rapid.steps) try more, and -rapid.seed the same
// again.
func (s Suite) property(t *testing.T, durable bool) {
	root := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(drawStep(durable)), 1, 25).Draw(rt, "steps")
		directory, err := os.MkdirTemp(root, "")
		if err != nil {
			rt.Fatalf("a directory for the journal: %v", err)
		}
		wrong := s.live(t, directory, steps)
		if err := os.RemoveAll(directory); err != nil { // many of them are much
			rt.Fatalf("remove the journal: %v", err)
		}
		if len(wrong) > 0 {
			rt.Fatalf("%s", strings.Join(wrong, "\n"))
		}
	})
}

// step is one operation.
type step struct {
	What   string
	Hook   string
	Key    string
	Runs   []script
	Which  int // of the runs accepted so far, counted round and round
	Passes time.Duration
}

func (s step) String() string {
	switch s.What {
	case "accept":
		return fmt.Sprintf("\n  accept %d of %s, key %q: %+v", len(s.Runs), s.Hook, s.Key, s.Runs)
	case "pass":
		return fmt.Sprintf("\n  pass %s", s.Passes)
	case "cancel", "rerun":
		return fmt.Sprintf("\n  %s number %d", s.What, s.Which)
	case "restart", "crash":
		return "\n  " + s.What
	}
	return "\n  " + s.What + " " + s.Hook
}

// The hooks of the property test, each with bounds of another kind.
const (
	free   = "free"   // none
	two    = "two"    // two at once, three attempts; notify follows a failure
	rated  = "rated"  // three starts in ten seconds; goes before others
	latest = "latest" // of a key's waiting runs the newest
	notify = "notify"
)

func drawStep(durable bool) func(*rapid.T) step {
	return func(t *rapid.T) step {
		kinds := []string{"accept", "accept", "accept", "accept", "pass", "pass", "pass", "cancel", "rerun",
			"pause", "resume", "remove", "bring"}
		if durable {
			kinds = append(kinds, "restart", "crash", "crash")
		}
		s := step{What: rapid.SampledFrom(kinds).Draw(t, "what")}
		switch s.What {
		case "pass":
			s.Passes = time.Duration(rapid.IntRange(0, 8000).Draw(t, "ms")) * time.Millisecond
		case "cancel", "rerun":
			s.Which = rapid.IntRange(0, 20).Draw(t, "which")
		case "restart", "crash":
		case "accept":
			s.Key = rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "key")
			s.Runs = rapid.SliceOfN(rapid.Custom(drawScript), 1, 3).Draw(t, "runs")
			fallthrough
		default:
			s.Hook = rapid.SampledFrom([]string{free, two, rated, latest}).Draw(t, "hook")
		}
		return s
	}
}

func drawScript(t *rapid.T) script {
	codes := rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 1}), 1, 3).Draw(t, "codes")
	return script{
		takes: time.Duration(rapid.IntRange(1, 6000).Draw(t, "ms")) * time.Millisecond,
		deaf:  rapid.IntRange(0, 9).Draw(t, "deaf") == 9,
		ends:  exits(codes...),
	}
}

// subject is an accepted run, as the plain model of it knows it.
type subject struct {
	name, hook, key string
	cancelled       bool // and not asked for again
	reruns          int
}

// life is a world in which steps are taken.
type life struct {
	*world
	subjects []*subject // as they were accepted
	crashes  []time.Time
	removed  bool // hook two was gone for a while: what it names is not known then
}

// live takes the steps in a world of its own, and gives what went wrong.
func (s Suite) live(t *testing.T, root string, steps []step) (wrong []string) {
	synctest.Test(t, func(t *testing.T) {
		notes := &notes{TB: t}
		l := &life{world: newWorld(notes, s, root)}
		t.Cleanup(func() { wrong = notes.list() })
		defer l.stop()
		defer notes.caught()
		l.concurrent = 4
		l.rules()
		for _, step := range steps {
			l.take(step)
		}
		l.finish()
		l.judge()
	})
	return wrong
}

func (l *life) rules() {
	l.following(notify, run.Failed)
	follow := l.follow
	l.follow = func(r *run.Record) (run.Submission, bool) {
		if r.Hook != two {
			return run.Submission{}, false
		}
		return follow(r)
	}
	for _, id := range []string{free, two, rated, latest} {
		l.hook(ruled(id))
	}
	l.up()
}

// ruled makes a hook of the property test. Scripts may be interrupted any number
// of times, for else a failure could be that of a crash.
func ruled(id string) hook.Hook {
	h := hook.Hook{ID: id, Retry: hook.Retry{Interruptions: 1000}}
	switch id {
	case two:
		h.Queue.MaxConcurrent = 2
		h.Retry.Attempts, h.Retry.Backoff, h.Retry.MaxBackoff = 3, 2*time.Second, 3*time.Second
	case rated:
		h.Queue.Rate, h.Queue.Priority = hook.Rate{Starts: 3, Per: 10 * time.Second}, 1
	case latest:
		h.Queue.Coalesce = true
	}
	return h
}

func (l *life) take(s step) {
	switch s.What {
	case "accept":
		l.acceptRuns(s)
	case "pass":
		l.pass(s.Passes)
	case "cancel":
		if subject := l.subject(s.Which); subject != nil && len(l.cancel(subject.name)) == 1 {
			subject.cancelled = true
		}
	case "rerun":
		if subject := l.subject(s.Which); subject != nil && len(l.rerun(subject.name)) == 1 {
			subject.cancelled = false
			subject.reruns++
		}
	case "pause":
		l.pause(s.Hook)
	case "resume":
		l.resume(s.Hook)
	case "remove":
		l.removed = l.removed || s.Hook == two
		l.remove(s.Hook)
	case "bring":
		l.hook(ruled(s.Hook))
		l.reload()
	case "restart":
		l.restart()
		l.nothingLost()
	case "crash":
		l.crashes = append(l.crashes, time.Now())
		l.crash()
		l.nothingLost()
	}
}

func (l *life) subject(which int) *subject {
	if len(l.subjects) == 0 {
		return nil
	}
	return l.subjects[which%len(l.subjects)]
}

func (l *life) acceptRuns(s step) {
	o := of(s.Hook)
	if s.Key != "" {
		o = o.keyed(s.Key)
	}
	for _, script := range s.Runs {
		name := fmt.Sprintf("%s%d", s.Hook[:1], len(l.subjects))
		l.does(name, script)
		o.names = append(o.names, name)
		l.subjects = append(l.subjects, &subject{name: name, hook: s.Hook, key: s.Key})
	}
	l.deliver(o)
}

// nothingLost says that all that was accepted is there.
func (l *life) nothingLost() {
	for _, s := range l.subjects {
		l.record(s.name)
	}
}

// finish lets everything come to its end.
func (l *life) finish() {
	for _, id := range []string{free, two, rated, latest} {
		l.hook(ruled(id))
	}
	l.reload()
	for _, id := range []string{free, two, rated, latest} {
		l.resume(id)
	}
	l.pass(2 * time.Hour)
}

func (l *life) judge() {
	records := map[string]*run.Record{}
	for _, s := range l.subjects {
		records[s.name] = l.record(s.name)
		l.judgeEnd(s, records[s.name])
	}
	l.judgeOrder(records)
	l.judgeRate()
	if s := l.engine.Status(); s.Waiting != 0 || s.Running != 0 {
		l.t.Errorf("in the end %d wait and %d run", s.Waiting, s.Running)
	}
}

// judgeEnd says whether a run came to the end that its attempts had.
func (l *life) judgeEnd(s *subject, r *run.Record) {
	attempts := l.attemptsOf(s.name)
	ended := "without an attempt"
	if len(attempts) > 0 {
		last := attempts[len(attempts)-1].outcome
		ended = fmt.Sprintf("%s %d", last.End, last.ExitCode)
	}
	ok := false
	switch r.State {
	case run.Succeeded:
		ok = ended == "exited 0"
	case run.Failed:
		ok = ended == "exited 1"
	case run.Cancelled:
		ok = s.cancelled
	case run.Superseded:
		ok = s.hook == latest && r.SupersededBy != ""
	}
	if !ok || s.cancelled != (r.State == run.Cancelled) {
		l.t.Errorf("%s is %s, cancelled: %t; its last attempt ended %s", s.name, r.State, s.cancelled, ended)
	}
	l.judgeAttempts(s, r, attempts)
	if s.hook != two || s.reruns > 0 {
		return
	}
	want := 0
	if r.State == run.Failed {
		want = 1
	}
	l.judgeFollowers(s, want)
}

// judgeAttempts says whether all attempts are remembered, and none was made
// after a success.
func (l *life) judgeAttempts(s *subject, r *run.Record, attempts []*attempt) {
	successes := 0
	for _, a := range attempts {
		known := slices.ContainsFunc(r.Attempts, func(known run.Attempt) bool { return known.Number == a.run.Attempt })
		if !known {
			l.t.Errorf("attempt %d of %s is not remembered", a.run.Attempt, s.name)
		}
		if a.outcome.End == run.Exited && a.outcome.ExitCode == 0 && !l.crashedAfter(a.ended) {
			successes++
		}
	}
	if successes > 1+s.reruns {
		l.t.Errorf("%s succeeded %d times, and was asked for again %d times", s.name, successes, s.reruns)
	}
}

// crashedAfter reports whether a crash came so soon after a moment that what
// happened then need not be on disk.
func (l *life) crashedAfter(moment time.Time) bool {
	return slices.ContainsFunc(l.crashes, func(crash time.Time) bool {
		return !crash.Before(moment) && crash.Sub(moment) <= slack
	})
}

func (l *life) judgeFollowers(s *subject, want int) {
	followers := map[string]bool{}
	for _, a := range l.attemptsOf(notify) {
		if a.run.Delivery.Origin.Of == l.named(s.name) {
			followers[a.run.ID] = true
		}
	}
	if n := len(followers); n > want || n < want && !l.removed {
		l.t.Errorf("%d runs follow from %s, want %d", n, s.name, want)
	}
}

// judgeOrder says whether of each two runs of a key the later began when the
// earlier had ended. A run that was asked for again has another place.
func (l *life) judgeOrder(records map[string]*run.Record) {
	for i, later := range l.subjects {
		attempts := l.attemptsOf(later.name)
		if later.key == "" || later.reruns > 0 || len(attempts) == 0 {
			continue
		}
		for _, earlier := range l.subjects[:i] {
			if earlier.hook != later.hook || earlier.key != later.key || earlier.reruns > 0 {
				continue
			}
			if ended := records[earlier.name].Ended; ended.After(attempts[0].began) {
				l.t.Errorf("%s began at %s, but %s before it ended at %s", later.name,
					attempts[0].began.Sub(l.zero), earlier.name, ended.Sub(l.zero))
			}
		}
	}
}

// judgeRate says whether one life of the engine kept the rate of starts.
func (l *life) judgeRate() {
	starts := map[int][]time.Time{}
	for _, a := range l.seen() {
		if a.run.Hook == rated {
			starts[a.life] = append(starts[a.life], a.began)
		}
	}
	for _, all := range starts {
		for i := 3; i < len(all); i++ {
			if span := all[i].Sub(all[i-3]); span < 10*time.Second {
				l.t.Errorf("four of %s began within %s", rated, span)
			}
		}
	}
}
