package engine

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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

func open(t *testing.T, options Options, s *script) *Memory {
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
		m := open(t, Options{Concurrent: 1, Sync: 1, MaxBytes: 1 << 20}, s)
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
		m := open(t, Options{Concurrent: 3, Sync: 1, MaxBytes: 1 << 20}, s)
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
		m := open(t, Options{Concurrent: 1, Sync: 2, MaxBytes: 1 << 20}, s)
		if err := m.Submit(t.Context(), numbered(0, 100, 0)...); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var waiting sync.WaitGroup
		for i := range 4 {
			waiting.Go(func() {
				if _, err := m.Now(t.Context(), run.Run{ID: "now " + strconv.Itoa(i)}, nil); err != nil {
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
		m := open(t, Options{Concurrent: 1, Sync: 1, MaxBytes: 10 << 10}, s)
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

func TestSubmitTakesAllOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		m := open(t, Options{Concurrent: 1, Sync: 1, MaxBytes: 10 << 10}, s)
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
				m := open(t, Options{Concurrent: 2, Sync: 1, MaxBytes: 1 << 20}, s)
				if err := m.Submit(t.Context(), numbered(0, 5, 0)...); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				began := time.Now()
				lost := m.Stop(t.Context(), test.grace)
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
				if _, err := m.Now(t.Context(), run.Run{}, nil); !errors.Is(err, ErrStopped) {
					t.Errorf("Now after Stop gives %v", err)
				}
				if again := m.Stop(t.Context(), 0); again != nil {
					t.Errorf("a second Stop lost %v", again)
				}
			})
		})
	}
}

func TestAStopReachesWhoWaitsForASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		m := open(t, Options{Concurrent: 1, Sync: 1, MaxBytes: 1 << 20}, s)
		go func() { _, _ = m.Now(t.Context(), run.Run{ID: "first"}, nil) }()
		synctest.Wait()
		refused := make(chan error, 1)
		go func() {
			_, err := m.Now(t.Context(), run.Run{ID: "second"}, nil)
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
	if _, err := NewMemory(t.Context(), Options{Concurrent: 1, MaxBytes: 1}, nil); err == nil {
		t.Error("Sync of 0 was accepted")
	}
}
