package fault

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/run"
)

// values are what every hook here hands to the worker, and enough memory to
// compare all runs in the end.
const values = `
  execute-command: "@DIR@/worker"
  pass-arguments-to-command: [{source: url, name: key}, {source: url, name: number}, {source: url, name: work}]
  keep: {runs: 1000000}
`

// load is what several senders deliver until Pawl is killed, and what they were
// answered.
type load struct {
	p  *pawl
	mu sync.Mutex

	number   int
	answered []answered
	lost     int // deliveries without an answer
}

type answered struct {
	hook   string
	number int
	reply
}

// send delivers one after the other to a hook until so many are sent or one is
// not answered: then Pawl is dead.
func (l *load) send(random *rand.Rand, hook, key string, most int) {
	for range most {
		work := ""
		if random.IntN(8) == 0 {
			work = fmt.Sprintf("0.%02d", random.IntN(10))
		}
		l.mu.Lock()
		l.number++
		number := l.number
		l.mu.Unlock()
		r, err := l.p.post(l.p.t.Context(), hook, key, number, work, "")
		l.mu.Lock()
		if err != nil {
			l.lost++
			l.mu.Unlock()
			return
		}
		l.answered = append(l.answered, answered{hook, number, r})
		l.mu.Unlock()
	}
}

// TestNothingIsLostOverKill9 kills Pawl at random moments under load, and in the
// end holds what was answered against what scripts did and what Pawl remembers.
func TestNothingIsLostOverKill9(t *testing.T) {
	t.Parallel()
	random := chance(t)
	for i := range times(1) {
		t.Run(fmt.Sprint("life ", i+1), func(t *testing.T) { killAgainAndAgain(t, random, 20) })
	}
}

func killAgainAndAgain(t *testing.T, random *rand.Rand, rounds int) {
	p := newPawl(t, "", "- id: plain"+values+
		"- id: keyed"+values+"  queue: {key: [{source: url, name: key}]}\n"+
		"- id: sync"+values+"  include-command-output-in-response: true\n")
	l := &load{p: p}
	for range rounds {
		p.start()
		if p.ended() {
			t.Fatal("it does not start")
		}
		moment := time.Duration(random.IntN(500)) * time.Millisecond
		var senders sync.WaitGroup
		for i := range 4 {
			seed := random.Uint64()
			senders.Go(func() {
				l.send(rand.New(rand.NewPCG(seed, 0)), "keyed", fmt.Sprint("k", i), 50)
			})
		}
		for _, hook := range []string{"plain", "plain", "sync", "sync"} {
			seed := random.Uint64()
			senders.Go(func() { l.send(rand.New(rand.NewPCG(seed, 0)), hook, "", 30) })
		}
		time.Sleep(moment) // the moment is the point, nothing is waited for
		p.kill()
		senders.Wait()
	}
	p.start()
	p.await("all that waited has run", p.idle)
	l.check()
	p.stop()
}

// check holds answers, ledger and memory against each other.
func (l *load) check() {
	t := l.p.t
	t.Helper()
	book, runs := l.p.ledger(), l.p.runs()
	for _, complaint := range book.complaints() {
		t.Error(complaint)
	}
	starts, ends := book.of("start"), book.of("end")
	again, cut, refused := 0, 0, 0
	for _, a := range l.answered {
		if !a.accepted() {
			refused++
			t.Errorf("delivery %d to %s: %d %s", a.number, a.hook, a.status, a.text)
			continue
		}
		r, known := runs[a.run]
		switch {
		case a.hook == "sync":
			if ends[a.run] != 1 {
				t.Errorf("delivery %d was answered with the end of its script, and that ended %d times", a.number, ends[a.run])
			}
			continue // its answer waits for no disk: its history may be missing
		case !known:
			t.Errorf("delivery %d to %s was answered %d, and Pawl knows nothing of it (%d starts)", a.number, a.hook, a.status, starts[a.run])
			continue
		case r.State == run.Succeeded && ends[a.run] == 0:
			t.Errorf("delivery %d to %s has succeeded, but its script has not ended", a.number, a.hook)
		case r.State == run.Failed && r.Interrupted == 0 || r.State != run.Failed && r.State != run.Succeeded:
			t.Errorf("delivery %d to %s is %s: %s", a.number, a.hook, r.State, r.Reason)
		case a.hook == "plain" && (starts[a.run] > 1 || r.State == run.Failed && !strings.Contains(r.Reason, "interrupted")):
			t.Errorf("delivery %d to plain: %d starts, %s: %s", a.number, starts[a.run], r.State, r.Reason)
		case a.hook == "keyed" && starts[a.run] == 0:
			t.Errorf("delivery %d to keyed was answered, and no script ever started: %s, %s", a.number, r.State, r.Reason)
		}
		if r.State == run.Failed {
			cut++
		} else if r.Attempt > 1 {
			again++
		}
	}
	t.Logf("%d answered, %d not; %d runs ended as interrupted, %d were run again", len(l.answered), l.lost, cut, again)
	if again == 0 || cut == 0 || l.lost == 0 {
		t.Error("Pawl was killed at no moment that matters: this has tried nothing")
	}
}

// TestAScriptThatKillsPawlIsStartedSoOftenAndNoMore: what it has started with it
// is stopped each time before it runs again, and what waits behind it goes on in
// order.
func TestAScriptThatKillsPawlIsStartedSoOftenAndNoMore(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		group  string
		starts int
		work   string // "deaf": SIGTERM does not end what it has started
	}{
		"a hook of webhook's keys":   {"", 1, "tree"},
		"with a queue":               {"queue: {key: [{source: url, name: key}]}", 4, "tree"},
		"with a retry":               {"retry: {attempts: 1}", 4, "tree"},
		"as often as it says":        {"retry: {attempts: 5, interruptions: 1}", 2, "deaf"},
		"never, though it may retry": {"retry: {attempts: 5, interruptions: 0}", 1, "tree"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPawl(t, "", "- id: h"+values+"  "+c.group+"\n- id: other"+values)
			p.start()
			killer := p.mustPost("h", "k", 1, c.work)
			line := strings.HasPrefix(c.group, "queue")
			if line {
				for number := 2; number < 6; number++ {
					p.mustPost("h", "k", number, "")
				}
			}
			p.await("the script runs", func() bool { return p.ledger().count("start", "h") == 1 })
			p.raise("go")
			lives := 1
			for done := false; !done; {
				p.await("Pawl is killed, or the run has ended", func() bool {
					done = !p.ended() && p.idle()
					return done || p.ended()
				})
				if !done {
					lives++
					p.start()
				}
			}
			book := p.ledger()
			for _, complaint := range book.complaints() {
				t.Error(complaint)
			}
			if got := book.of("start")[killer.run]; got != c.starts || lives != c.starts+1 {
				t.Errorf("it was started %d times in %d lives of Pawl, want %d starts", got, lives, c.starts)
			}
			r := p.runs()[killer.run]
			if r.State != run.Failed || r.Interrupted != c.starts || !strings.Contains(r.Reason, "interrupted") {
				t.Errorf("it is %s after %d interruptions: %s", r.State, r.Interrupted, r.Reason)
			}
			if line && book.count("end", "h") != 4 {
				t.Errorf("%d of 4 runs that waited behind it have run", book.count("end", "h"))
			}
			// What the last attempt left is stopped as well: its lock is free.
			p.mustPost("other", "k", 6, "")
			p.await("it ran", func() bool { return p.ledger().count("end", "other") == 1 })
			if p.ledger().count("overlap", "") > 0 {
				t.Error("something of the script that killed Pawl still lives")
			}
			p.stop()
		})
	}
}
