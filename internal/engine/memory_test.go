package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/run"
)

// script stands in for a runner: each attempt takes a second, or ends when it
// is interrupted, and notes when it began.
type script struct {
	mu          sync.Mutex
	began       []string
	running     int
	most        int
	interrupted []string
}

func (s *script) start(ctx context.Context, r run.Run, output io.Writer) run.Outcome {
	s.mu.Lock()
	s.began = append(s.began, r.ID)
	s.running++
	s.most = max(s.most, s.running)
	s.mu.Unlock()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		s.mu.Lock()
		s.interrupted = append(s.interrupted, r.ID)
		s.mu.Unlock()
	}
	s.mu.Lock()
	s.running--
	s.mu.Unlock()
	if output != nil {
		_, _ = io.WriteString(output, "output of "+r.ID)
	}
	return run.Outcome{End: run.Exited}
}

func open(t *testing.T, options MemoryOptions, s *script) *Memory {
	t.Helper()
	m, err := NewMemory(t.Context(), options, s.start)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// finish lets everything that waits run, and gives a grace for what follows.
func finish() time.Duration {
	time.Sleep(time.Minute) // of the test's own clock
	return 0
}

func numbered(from, to int, body int) []run.Run {
	var runs []run.Run
	for i := from; i < to; i++ {
		runs = append(runs, run.Run{ID: strconv.Itoa(i), Delivery: &run.Delivery{Body: make([]byte, body)}})
	}
	return runs
}

func TestRunsStartInOrderAndWithinTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		m := open(t, MemoryOptions{Concurrent: 1, Sync: 1, MaxBytes: 1 << 20}, s)
		for _, r := range numbered(0, 20, 10) {
			if err := m.Submit(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		m.Stop(t.Context(), finish())
		var want []string
		for i := range 20 {
			want = append(want, strconv.Itoa(i))
		}
		if !slices.Equal(s.began, want) {
			t.Errorf("started %v, want %v", s.began, want)
		}
	})
}

func TestNoMoreRunThanTheLimitAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		m := open(t, MemoryOptions{Concurrent: 3, Sync: 1, MaxBytes: 1 << 20}, s)
		if err := m.Submit(t.Context(), numbered(0, 10, 0)...); err != nil {
			t.Fatal(err)
		}
		m.Stop(t.Context(), finish())
		if s.most != 3 || len(s.began) != 10 {
			t.Errorf("%d ran at a time and %d in all, want 3 and 10", s.most, len(s.began))
		}
	})
}

func TestWhoWaitsForOutputDoesNotStandBehindOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		m := open(t, MemoryOptions{Concurrent: 1, Sync: 2, MaxBytes: 1 << 20}, s)
		if err := m.Submit(t.Context(), numbered(0, 100, 0)...); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var waiting sync.WaitGroup
		for i := range 4 {
			waiting.Go(func() {
				if _, err := m.Now(t.Context(), run.Run{ID: "now " + strconv.Itoa(i)}, nil, nil, func() {}); err != nil {
					t.Error(err)
				}
			})
		}
		waiting.Wait()
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("four requests, two at a time, a second each, took %s", took)
		}
		m.Stop(t.Context(), 0)
	})
}

func TestWhatWaitsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		m := open(t, MemoryOptions{Concurrent: 1, Sync: 1, MaxBytes: 16 << 10}, s)
		runs := numbered(0, 10, 4<<10) // the first runs, two more fit
		var refused []string
		for _, r := range runs {
			if err := m.Submit(t.Context(), r); errors.Is(err, ErrFull) {
				refused = append(refused, r.ID)
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if want := []string{"3", "4", "5", "6", "7", "8", "9"}; !slices.Equal(refused, want) {
			t.Errorf("refused %v, want %v", refused, want)
		}
		time.Sleep(time.Minute)
		if err := m.Submit(t.Context(), runs[3]); err != nil {
			t.Errorf("there is room again, but: %v", err)
		}
		time.Sleep(time.Minute)
	})
}

func TestThatRunsWaitIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := &script{}
		m := open(t, MemoryOptions{Concurrent: 1, Sync: 1, MaxBytes: 1 << 20, Log: zerolog.New(&log)}, s)
		runs := numbered(0, 5, 0)
		runs[0].Hook = "slow"
		go func() { _, _ = m.Now(t.Context(), run.Run{ID: "sync", Hook: "other"}, nil, nil, func() {}) }()
		synctest.Wait()
		time.Sleep(time.Millisecond)
		for _, two := range [][]run.Run{runs[:2], runs[2:]} {
			if err := m.Submit(t.Context(), two...); err != nil {
				t.Fatal(err)
			}
		}
		m.Stop(t.Context(), finish())
		if n := strings.Count(log.String(), "runs wait"); n != 1 || !strings.Contains(log.String(), `"oldest":"slow"`) {
			t.Errorf("told %d times: %s", n, &log)
		}
	})
}

func TestHeadersCountAsMuchAsBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		m := open(t, MemoryOptions{Concurrent: 1, Sync: 1, MaxBytes: 100 << 10}, s)
		large := run.Run{ID: "large", Delivery: &run.Delivery{Header: http.Header{"X": {strings.Repeat("x", 60<<10)}}}}
		var last error
		for range 3 { // one runs, one waits, one is too much
			last = m.Submit(t.Context(), large)
		}
		if !errors.Is(last, ErrFull) {
			t.Errorf("60 KiB of headers twice within 100 KiB: %v", last)
		}
		m.Stop(t.Context(), 0)
	})
}

func TestAHeaderCountsEvenIfItIsEmpty(t *testing.T) {
	many := run.Run{Delivery: &run.Delivery{Header: http.Header{"X": make([]string, 10_000)}}}
	if got := cost(many); got < 10_000*16 {
		t.Errorf("10,000 empty values cost %d bytes, less than they take", got)
	}
}

func TestWhatCanStartAtOnceNeedsNoRoomToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		m := open(t, MemoryOptions{Concurrent: 2, Sync: 1, MaxBytes: 2 * runCost}, s)
		for range 3 { // one runs, two fill the room
			go func() { _, _ = m.Now(t.Context(), run.Run{}, nil, nil, func() {}) }()
			synctest.Wait()
		}
		if err := m.Submit(t.Context(), numbered(0, 2, 1<<20)...); err != nil {
			t.Errorf("both places are free, but: %v", err)
		}
		m.Stop(t.Context(), 0)
	})
}

func TestWhoWaitsForATurnIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		m := open(t, MemoryOptions{Concurrent: 1, Sync: 1, MaxBytes: 3 * runCost}, s)
		var mu sync.Mutex
		refused := 0
		for range 10 {
			go func() {
				if _, err := m.Now(t.Context(), run.Run{}, nil, nil, func() {}); errors.Is(err, ErrFull) {
					mu.Lock()
					refused++
					mu.Unlock()
				}
			}()
		}
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if refused != 6 { // one runs, three wait
			t.Errorf("%d of 10 were refused, want 6", refused)
		}
		m.Stop(t.Context(), 0)
	})
}

func TestWhoGivesUpBeforeItsTurnRunsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		m := open(t, MemoryOptions{Concurrent: 1, Sync: 1, MaxBytes: 1 << 20}, s)
		go func() { _, _ = m.Now(t.Context(), run.Run{ID: "first"}, nil, nil, func() {}) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		gaveUp := make(chan error, 1)
		go func() {
			_, err := m.Now(ctx, run.Run{ID: "second"}, numbered(0, 1, 0), nil, func() {})
			gaveUp <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-gaveUp; !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
		m.Stop(t.Context(), time.Minute)
		if !slices.Equal(s.began, []string{"first"}) {
			t.Errorf("started %v", s.began)
		}
	})
}

func TestOthersAreSubmittedWithTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		m := open(t, MemoryOptions{Concurrent: 1, Sync: 1, MaxBytes: 1 << 20}, s)
		if _, err := m.Now(t.Context(), run.Run{ID: "first"}, numbered(0, 2, 0), nil, func() {}); err != nil {
			t.Fatal(err)
		}
		m.Stop(t.Context(), finish())
		slices.Sort(s.began)
		if !slices.Equal(s.began, []string{"0", "1", "first"}) {
			t.Errorf("started %v", s.began)
		}
	})
}

func TestARunThatPanicsFailsAlone(t *testing.T) {
	var log bytes.Buffer
	m, err := NewMemory(t.Context(), MemoryOptions{Concurrent: 1, Sync: 1, MaxBytes: 1 << 20, Log: zerolog.New(&log)},
		func(context.Context, run.Run, io.Writer) run.Outcome { panic("broken") })
	if err != nil {
		t.Fatal(err)
	}
	outcome, err := m.Now(t.Context(), run.Run{ID: "x"}, nil, nil, func() {})
	if err != nil || outcome.State() != run.Failed || !strings.Contains(log.String(), "broken") {
		t.Errorf("%v, %v; log: %s", outcome, err, &log)
	}
}

func TestSubmitTakesAllOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		m := open(t, MemoryOptions{Concurrent: 1, Sync: 1, MaxBytes: 16 << 10}, s)
		if err := m.Submit(t.Context(), numbered(0, 2, 4<<10)...); err != nil {
			t.Fatal(err)
		}
		if err := m.Submit(t.Context(), numbered(2, 4, 4<<10)...); !errors.Is(err, ErrFull) {
			t.Errorf("two more do not fit, but Submit gives %v", err)
		}
		m.Stop(t.Context(), finish())
		if want := []string{"0", "1"}; !slices.Equal(s.began, want) {
			t.Errorf("ran %v, want %v", s.began, want)
		}
	})
}

func TestStop(t *testing.T) {
	tests := []struct {
		name        string
		grace       time.Duration
		interrupted int
		took        time.Duration
	}{
		{"what ends within the grace ends by itself", 2 * time.Second, 0, time.Second},
		{"what does not is interrupted", 500 * time.Millisecond, 2, 500 * time.Millisecond},
		{"without grace at once", 0, 2, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{}
				m := open(t, MemoryOptions{Concurrent: 2, Sync: 1, MaxBytes: 1 << 20}, s)
				if err := m.Submit(t.Context(), numbered(0, 5, 0)...); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				began := time.Now()
				lost, running := m.Close()
				if running != 2 {
					t.Errorf("%d run, want 2", running)
				}
				m.Stop(t.Context(), test.grace)
				if took := time.Since(began); took != test.took {
					t.Errorf("took %s, want %s", took, test.took)
				}
				if len(s.interrupted) != test.interrupted {
					t.Errorf("interrupted %v, want %d", s.interrupted, test.interrupted)
				}
				if len(lost) != 3 || lost[0].ID != "2" || len(s.began) != 2 {
					t.Errorf("started %v and lost %d runs, want 2 and 3", s.began, len(lost))
				}
				if err := m.Submit(t.Context(), numbered(9, 10, 0)...); !errors.Is(err, ErrStopped) {
					t.Errorf("Submit after Stop gives %v", err)
				}
				if _, err := m.Now(t.Context(), run.Run{}, nil, nil, func() {}); !errors.Is(err, ErrStopped) {
					t.Errorf("Now after Stop gives %v", err)
				}
				m.Stop(t.Context(), 0)
				if again, running := m.Close(); again != nil || running != 0 {
					t.Errorf("afterwards %v wait and %d run", again, running)
				}
			})
		})
	}
}

func TestAStopReachesWhoWaitsForASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		m := open(t, MemoryOptions{Concurrent: 1, Sync: 1, MaxBytes: 1 << 20}, s)
		go func() { _, _ = m.Now(t.Context(), run.Run{ID: "first"}, nil, nil, func() {}) }()
		synctest.Wait()
		refused := make(chan error, 1)
		go func() {
			_, err := m.Now(t.Context(), run.Run{ID: "second"}, nil, nil, func() {})
			refused <- err
		}()
		synctest.Wait()
		m.Stop(t.Context(), time.Minute)
		if err := <-refused; !errors.Is(err, ErrStopped) {
			t.Errorf("the one that waited got %v", err)
		}
		if !slices.Equal(s.began, []string{"first"}) {
			t.Errorf("started %v", s.began)
		}
	})
}

func TestOptionsMustBePositive(t *testing.T) {
	if _, err := NewMemory(t.Context(), MemoryOptions{Concurrent: 1, MaxBytes: 1}, nil); err == nil {
		t.Error("Sync of 0 was accepted")
	}
}
