package runner

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/process"
	"github.com/pawlhq/pawl/internal/run"
)

var long = flag.Bool("long", false, "run what takes minutes in full")

// badScripts do what scripts should not. Those that do not end by themselves
// must be stopped.
var badScripts = map[string]struct {
	text    string
	endless bool
}{
	"exits at once":            {"exit 3", false},
	"ignores SIGTERM":          {"trap '' TERM; while :; do sleep 100; done", true},
	"forks":                    {"sleep 100 & sleep 100 & sleep 100", true},
	"forks and goes":           {"sleep 100 >/dev/null 2>&1 &", false},
	"double-forks":             {"(setsid sh -c 'trap \"\" TERM; sleep 100' >/dev/null 2>&1 &); sleep 100", true},
	"double-forks and goes":    {"(setsid sleep 100 >/dev/null 2>&1 &)", false},
	"prints endlessly":         {"while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done", true},
	"prints as fast as it can": {"exec cat /dev/zero", true},
	"closes its output":        {"exec >&- 2>&-; exec sleep 100", true},
	"closes it and forks":      {"exec >&- 2>&-; sleep 100 & wait", true},
	"leaves its output open":   {"sleep 100 &", false},
	"kills itself":             {"kill -9 $$", false},
	"kills its group":          {"trap '' TERM; kill -TERM 0; sleep 100", true},
	"stops itself":             {"kill -STOP $$", true},
}

// TestAStormOfBadScripts runs many of them at a time, ends the endless ones by
// time-out or by hand, and looks at what is left: nothing of Pawl's, and no
// process of a run that was stopped.
func TestAStormOfBadScripts(t *testing.T) {
	rounds, wide := 2, 32
	if *long {
		rounds = 10_000 / len(badScripts)
	}
	s := newStorm(t)
	s.one(t, attempt("exits at once/alone"), "alone") // what the runtime opens for good is open now
	descriptors, goroutines := s.countDescriptors(t), runtime.NumGoroutine()
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	stopped := s.run(t, wide, rounds)

	// Of what was stopped nothing is left, now and not a moment later.
	left, err := process.Leftovers{Name: "PAWL_RUN_ID", Marked: func(mark string) bool { return stopped[mark] }, Grace: time.Second}.Stop(t.Context())
	if left != 0 || err != nil {
		t.Errorf("%d processes of runs that were stopped still ran; %v", left, err)
	}
	s.settle(t, descriptors, goroutines)
	var after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("%d bytes of memory stay", grown)
	}
	if bytes := residentPeak(t); bytes > 1<<30 {
		t.Errorf("memory came to %d bytes", bytes)
	}
}

type storm struct {
	*Runner
	cancelled error
	all       map[string]bool // the marks of all runs
}

func newStorm(t *testing.T) *storm {
	t.Helper()
	hooks := map[string]*hook.Hook{}
	for name, bad := range badScripts {
		path := filepath.Join(t.TempDir(), strings.ReplaceAll(name, " ", "-"))
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+bad.text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		h := &hook.Hook{ID: name, Command: path, Keep: hook.Keep{Output: 64 << 10, Artifacts: 1 << 20}}
		h.Process.KillGrace = 100 * time.Millisecond
		hooks[name] = h
	}
	s := &storm{cancelled: fmt.Errorf("cancelled"), all: map[string]bool{}}
	s.Runner = New(Options{
		Hook: func(id string) *hook.Hook {
			name, how, _ := strings.Cut(id, "/")
			h := *hooks[name]
			if how == "timeout" {
				h.Process.Timeout = 300 * time.Millisecond
			}
			return &h
		},
		Environment: []string{"PATH=" + os.Getenv("PATH")}, Directory: t.TempDir(), Cancelled: s.cancelled, Log: zerolog.Nop(),
	})
	t.Cleanup(func() { s.endLeftovers(t) })
	return s
}

// run runs all bad scripts so often, and gives the marks of the runs that were
// stopped.
func (s *storm) run(t *testing.T, wide, rounds int) (stopped map[string]bool) {
	t.Helper()
	stopped = map[string]bool{}
	var mu sync.Mutex
	var all sync.WaitGroup
	places := make(chan struct{}, wide)
	for round := range rounds {
		for name, bad := range badScripts {
			how := "alone"
			if bad.endless {
				how = []string{"timeout", "cancelled"}[round%2]
			}
			places <- struct{}{}
			all.Go(func() {
				defer func() { <-places }()
				r := attempt(name + "/" + how)
				mu.Lock()
				s.all["PAWL_RUN_ID="+r.ID] = true
				if bad.endless {
					stopped["PAWL_RUN_ID="+r.ID] = true
				}
				mu.Unlock()
				s.one(t, r, how)
			})
		}
	}
	all.Wait()
	return stopped
}

// one runs one of them, and checks its end.
func (s *storm) one(t *testing.T, r run.Run, how string) {
	want := map[string]run.End{"timeout": run.TimedOut, "cancelled": run.Stopped, "alone": run.Exited}[how]
	if strings.HasPrefix(r.Hook, "kills itself") {
		want = run.Signalled
	}
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(t.Context()))
	defer cancel(nil)
	if how == "cancelled" {
		timer := time.AfterFunc(300*time.Millisecond, func() { cancel(s.cancelled) })
		defer timer.Stop()
	}
	outcome := s.Run(ctx, r, nil)
	if outcome.End != want || len(outcome.Output) > 64<<10 {
		t.Errorf("%s ended as %s (%s) with %d bytes of output, want %s", r.Hook, outcome.End, outcome.Reason, len(outcome.Output), want)
	}
}

// endLeftovers ends what scripts that were not stopped left on purpose.
func (s *storm) endLeftovers(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	if _, err := (process.Leftovers{Name: "PAWL_RUN_ID", Marked: func(mark string) bool { return s.all[mark] }, Grace: time.Second}).Stop(ctx); err != nil {
		t.Error(err)
	}
}

// settle ends the leftovers, and waits until no more descriptors and goroutines
// are there than before, and no zombie. Nothing tells of their end.
func (s *storm) settle(t *testing.T, descriptors, goroutines int) {
	t.Helper()
	s.endLeftovers(t)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		fds, routines, zombies := s.countDescriptors(t), runtime.NumGoroutine(), countZombies(t)
		if fds <= descriptors && routines <= goroutines && zombies == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors, before %d; %d goroutines, before %d; %d zombies", fds, descriptors, routines, goroutines, zombies)
		}
	}
}

// countDescriptors counts those of this process, but for the two that each slot
// holds: of slots there are no more than ran at a time.
func (s *storm) countDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	count := len(entries)
	for _, free := range s.slots.free {
		if free.view.open {
			count -= 2
		}
	}
	return count
}

// countZombies counts the children of this process that have ended and were not
// waited for.
func countZombies(t *testing.T) (zombies int) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		_, rest, found := strings.Cut(string(text), ") ")
		if err == nil && found && strings.HasPrefix(rest, "Z "+strconv.Itoa(os.Getpid())+" ") {
			zombies++
		}
	}
	return zombies
}

// residentPeak is the most memory that this process has had, in bytes.
func residentPeak(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}
