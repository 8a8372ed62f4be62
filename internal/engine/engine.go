// Package engine decides when each run starts.
//
// So far it has one engine, Memory, which keeps nothing: it bounds how many
// scripts run at a time, lets the others wait in the order in which they came,
// and stops in order. It knows no hooks and starts no processes: the caller
// hands it a Start func.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/pawlhq/pawl/internal/run"
)

// Start runs one attempt to its end. Cancelling the context interrupts it.
type Start func(ctx context.Context, attempt run.Run, output io.Writer) run.Outcome

var (
	// ErrFull says that no more can wait. The sender should try again later.
	ErrFull = errors.New("too many deliveries wait already")
	// ErrStopped says that Pawl stops, and nothing is accepted any more.
	ErrStopped = errors.New("stopping: nothing is accepted any more")
)

// Options bounds an engine. Every number must be positive.
type Options struct {
	Concurrent int   // scripts of queued runs that run at a time
	Sync       int   // scripts that run at a time for requests that wait for their output
	MaxBytes   int64 // bodies of the deliveries whose runs wait
}

func (o Options) validate() error {
	for name, n := range map[string]int64{"Concurrent": int64(o.Concurrent), "Sync": int64(o.Sync), "MaxBytes": o.MaxBytes} {
		if n <= 0 {
			return fmt.Errorf("engine: %s is %d and must be positive", name, n)
		}
	}
	return nil
}

// runCost is what a waiting run counts for besides its body.
const runCost = 1 << 10

// Memory is an engine that keeps runs in memory alone. What waits when it stops
// is lost, and told.
type Memory struct {
	options Options
	start   Start
	ctx     context.Context // of the attempts
	cancel  context.CancelFunc
	sync    chan struct{} // a token for each sync run
	stopped chan struct{} // closed when nothing is started any more

	mu       sync.Mutex
	waiting  []run.Run
	bytes    int64 // of waiting
	running  int   // of queued runs
	stopping bool
	active   sync.WaitGroup
}

// NewMemory makes an engine that starts attempts with start. Attempts end at
// the latest when ctx does.
func NewMemory(ctx context.Context, options Options, start Start) (*Memory, error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	m := &Memory{options: options, start: start, sync: make(chan struct{}, options.Sync), stopped: make(chan struct{})}
	m.ctx, m.cancel = context.WithCancel(ctx)
	return m, nil
}

// Submit accepts runs, all of them or none. They start in their order, as soon
// as there is room. The error is ErrFull or ErrStopped.
func (m *Memory) Submit(_ context.Context, runs ...run.Run) error {
	var cost int64
	for _, r := range runs {
		cost += runCost + int64(len(r.Delivery.Body))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.stopping:
		return ErrStopped
	// One that is larger than the bound is accepted when nothing waits.
	case m.bytes > 0 && m.bytes+cost > m.options.MaxBytes:
		return ErrFull
	}
	for _, r := range runs {
		if m.running < m.options.Concurrent {
			m.running++
			m.active.Add(1)
			go m.work(r)
			continue
		}
		m.waiting = append(m.waiting, r)
		m.bytes += runCost + int64(len(r.Delivery.Body))
	}
	return nil
}

// work runs one run, and then what waits, until nothing does.
func (m *Memory) work(r run.Run) {
	defer m.active.Done()
	for more := true; more; r, more = m.next() {
		m.start(m.ctx, r, nil)
	}
}

// next takes the first waiting run, or gives the worker's place back.
func (m *Memory) next() (run.Run, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stopping || len(m.waiting) == 0 {
		m.running--
		return run.Run{}, false
	}
	r := m.waiting[0]
	m.waiting[0] = run.Run{} // what the slice still covers must not keep a body alive
	m.waiting = m.waiting[1:]
	m.bytes -= runCost + int64(len(r.Delivery.Body))
	return r, true
}

// Now runs a run whose caller waits for its end and reads its output. It does
// not stand behind queued runs, only behind others of its kind. The error is
// ErrStopped. That the caller gives up changes nothing: the run was asked for.
func (m *Memory) Now(_ context.Context, r run.Run, output io.Writer) (run.Outcome, error) {
	select {
	case m.sync <- struct{}{}:
	case <-m.stopped:
		return run.Outcome{}, ErrStopped
	}
	defer func() { <-m.sync }()
	m.mu.Lock()
	if m.stopping {
		m.mu.Unlock()
		return run.Outcome{}, ErrStopped
	}
	m.active.Add(1)
	m.mu.Unlock()
	defer m.active.Done()
	return m.start(m.ctx, r, output), nil
}

// Stop starts nothing more, waits until what runs has ended, interrupts it when
// grace is over or ctx ends, and returns when nothing runs. It gives the runs
// that waited, which are lost. Stop may be called again, and without a Submit.
func (m *Memory) Stop(ctx context.Context, grace time.Duration) []run.Run {
	m.mu.Lock()
	if !m.stopping {
		m.stopping = true
		close(m.stopped)
	}
	lost := m.waiting
	m.waiting, m.bytes = nil, 0
	m.mu.Unlock()

	ended := make(chan struct{})
	go func() {
		m.active.Wait()
		close(ended)
	}()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	case <-ctx.Done():
	}
	m.cancel()
	<-ended
	return lost
}
