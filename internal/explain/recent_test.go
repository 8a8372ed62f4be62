package explain_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pawlhq/pawl/internal/explain"
)

func turnedAway(n int, hooks ...string) explain.TurnedAway {
	t := explain.TurnedAway{ID: fmt.Sprintf("%08d-id", n)}
	for _, hook := range hooks {
		t.Explanations = append(t.Explanations, explain.Explanation{Hook: hook, Outcome: explain.Unmatched, Reason: "because"})
	}
	return t
}

func ids(list []explain.TurnedAway) string {
	var text []string
	for _, t := range list {
		text = append(text, strings.TrimLeft(strings.TrimSuffix(t.ID, "-id"), "0"))
	}
	return strings.Join(text, " ")
}

func TestRecentKeepsTheLast(t *testing.T) {
	recent := explain.NewRecent(4)
	for n := 1; n <= 6; n++ {
		recent.Add(turnedAway(n, "a", []string{"b", "c"}[n%2]))
	}
	for hook, want := range map[string]string{"": "6 5 4 3", "a": "6 5 4 3", "b": "6 4", "c": "5 3", "d": ""} {
		if got := ids(recent.List(hook)); got != want {
			t.Errorf("of hook %q: %s, want %s", hook, got, want)
		}
	}
	named := turnedAway(7, "e")
	named.Explanations[0].DeliveryID = "Sender-7"
	recent.Add(named)
	for id, want := range map[string]int{
		"00000006": 1, "00000006-ID": 1, "0000000": 4, "": 0, "00000001": 0,
		"Sender-7": 1, "sender": 1, "Sender-77": 0,
	} {
		if found, matches := recent.Find(id); matches != want || matches == 1 && found.ID != "00000006-id" && found.ID != "00000007-id" {
			t.Errorf("%q: %d, %v", id, matches, found.ID)
		}
	}
}

// Whoever tries paths does not push out what senders sent.
func TestRecentLost(t *testing.T) {
	recent := explain.NewRecent(8)
	recent.Add(turnedAway(1, "a"))
	for n := 2; n <= 50; n++ {
		recent.Add(turnedAway(n))
	}
	if got, want := ids(recent.List("")), "50 49 1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestRecentBoundsBytes(t *testing.T) {
	recent := explain.NewRecent(1000)
	large := turnedAway(1, "a")
	large.Explanations[0].Hints = []string{strings.Repeat("x", 60<<10)}
	for n := range 200 {
		large.ID = fmt.Sprintf("%08d-id", n)
		recent.Add(large)
	}
	if n := len(recent.List("")); n < 60 || n > 70 {
		t.Errorf("%d of 60 KiB are kept, want as many as make 4 MiB", n)
	}

	// Of one that is larger than a hook's explanation ever should be the outcome stays.
	huge := turnedAway(999, "a", "b")
	huge.Path = strings.Repeat("/", 1<<20)
	huge.Explanations[0].Decision = &explain.Node{Why: strings.Repeat("x", 1<<20)}
	recent.Add(huge)
	kept := recent.List("")[0]
	if kept.ID != huge.ID || kept.Explanations[0].Decision != nil || kept.Explanations[1].Reason != "because" || len(kept.Path) > 2<<10 {
		t.Errorf("%.300v", kept)
	}
}

// Of a flood so many a second are explained, and the others are counted.
func TestRecentAllow(t *testing.T) {
	recent := explain.NewRecent(1)
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	allowed := func(of int) (n int) {
		for range of {
			if recent.Allow(now) {
				n++
			}
		}
		return n
	}
	for _, step := range []struct {
		later time.Duration
		want  int
	}{{0, 50}, {0, 0}, {100 * time.Millisecond, 5}, {-time.Hour, 0}, {time.Minute, 50}} {
		now = now.Add(step.later)
		if got := allowed(200); got != step.want {
			t.Errorf("after %s %d are allowed, want %d", step.later, got, step.want)
		}
	}
	if got := recent.Skipped(); got != 200*5-105 {
		t.Errorf("%d are skipped", got)
	}
}

// Explanations take a twentieth of the time, be they as dear as they may, and one is
// made at a time.
func TestRecentExplainIsBoundedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recent := explain.NewRecent(1000)
		began, n, running := time.Now(), 0, 0
		dear := func() explain.TurnedAway {
			if running++; running != 1 {
				t.Error("two are made at a time")
			}
			time.Sleep(100 * time.Millisecond)
			running--
			n++
			return turnedAway(n, "a")
		}
		for range 100 * 10 { // ten callers who try each 100 ms
			for range 10 {
				if recent.Allow(time.Now()) {
					go recent.Explain(dear)
				}
			}
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
		}
		took := time.Duration(n) * 100 * time.Millisecond
		if most := time.Since(began)/20 + 700*time.Millisecond; took > most || took < most/2 {
			t.Errorf("%d explanations took %s of %s, want at most %s, and not much less", n, took, time.Since(began), most)
		}
		if got := int64(len(recent.List(""))); got != int64(n) || got+recent.Skipped() != 100*10*10 {
			t.Errorf("%d are kept of %d, %d skipped", got, n, recent.Skipped())
		}
	})
}

// Whoever tries paths takes no time from those that came to a hook.
func TestRecentAllowLost(t *testing.T) {
	recent := explain.NewRecent(1)
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	lost, others := 0, 0
	for range 200 {
		if recent.AllowLost(now) {
			lost++
		}
	}
	for range 200 {
		if recent.Allow(now) {
			others++
		}
	}
	if lost != 25 || others != 25 || recent.Skipped() != 400-50 {
		t.Errorf("%d and %d are allowed, %d skipped", lost, others, recent.Skipped())
	}
}

func TestRecentAtOnce(t *testing.T) {
	recent := explain.NewRecent(10)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for i := range 100 {
				recent.Allow(time.Now())
				recent.Add(turnedAway(n*100+i, "a"))
				recent.List("a")
				recent.Find("00000001")
				recent.Skipped()
			}
		})
	}
	all.Wait()
	if n := len(recent.List("")); n != 10 {
		t.Errorf("%d are kept, want 10", n)
	}
}
