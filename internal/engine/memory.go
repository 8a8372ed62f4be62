package engine

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/run"
)

// MemoryOptions bounds an engine. Every number must be positive.
type MemoryOptions struct {
	Concurrent int   // scripts of queued runs that run at a time
	Sync       int   // scripts that run at a time for requests that wait for their output
	MaxBytes   int64 // memory of the deliveries whose runs wait, of either kind

	Log zerolog.Logger
}

func (o MemoryOptions) validate() error {
	for name, n := range map[string]int64{"Concurrent": int64(o.Concurrent), "Sync": int64(o.Sync), "MaxBytes": o.MaxBytes} {
		if n <= 0 {
			return fmt.Errorf("engine: %s is %d and must be positive", name, n)
		}
	}
	return nil
}

// runCost is what a waiting run counts for besides what its delivery holds, and
// headerCost what each name and each value of a header does besides its text.
const (
	runCost    = 4 << 10
	headerCost = 64
)

// cost is about the memory that a waiting run takes.
func cost(r run.Run) int64 {
	total := int64(runCost)
	if d := r.Delivery; d != nil {
		total += int64(cap(d.Body) + len(d.Path) + len(d.RawQuery) + len(d.Host))
		for name, values := range d.Header {
			total += int64(len(name) + headerCost)
			for _, value := range values {
				total += int64(len(value) + headerCost)
			}
		}
	}
	return total
}

// Memory is an engine that keeps runs in memory alone. What waits when it stops
// is lost, and told.
type Memory struct {
	options MemoryOptions
	start   Start
	ctx     context.Context // of the attempts
	cancel  context.CancelFunc
	sync    chan struct{} // a token for each sync run
	stopped chan struct{} // closed when nothing is started any more

	mu       sync.Mutex
	waiting  []run.Run
	bytes    int64            // of what waits
	running  int              // of queued runs
	began    map[string]began // every attempt that was started, by its run's id
	told     time.Time        // when it was last told that runs wait
	stopping bool
	active   sync.WaitGroup
}

// began is an attempt that runs: of which hook, since when.
type began struct {
	hook  string
	since time.Time
	sync  bool // it takes a token, not a place
}

// tellEvery is how often at most it is told that runs wait.
const tellEvery = time.Minute

// NewMemory makes an engine that starts attempts with start. Attempts end at
// the latest when ctx does.
func NewMemory(ctx context.Context, options MemoryOptions, start Start) (*Memory, error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	m := &Memory{options: options, start: start, sync: make(chan struct{}, options.Sync), stopped: make(chan struct{}), began: map[string]began{}}
	m.ctx, m.cancel = context.WithCancel(ctx)
	return m, nil
}

// Submit accepts runs, all of them or none. They start in their order, as soon
// as there is room. The error is ErrFull or ErrStopped.
func (m *Memory) Submit(_ context.Context, runs ...run.Run) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.submit(runs)
}

// submit is Submit for who holds mu.
func (m *Memory) submit(runs []run.Run) error {
	if m.stopping {
		return ErrStopped
	}
	starting := min(len(runs), m.options.Concurrent-m.running)
	var bytes int64
	for _, r := range runs[starting:] {
		bytes += cost(r)
	}
	if starting < len(runs) && !m.room(bytes) {
		return ErrFull
	}
	for _, r := range runs[:starting] {
		m.running++
		m.enter(r, false)
		go m.work(r)
	}
	m.waiting = append(m.waiting, runs[starting:]...)
	m.bytes += bytes
	m.tellWaiting()
	return nil
}

// enter notes an attempt that starts now. The caller holds mu.
func (m *Memory) enter(r run.Run, sync bool) {
	m.active.Add(1)
	m.began[r.ID] = began{r.Hook, time.Now(), sync}
}

// leave notes its end.
func (m *Memory) leave(r run.Run) {
	m.mu.Lock()
	delete(m.began, r.ID)
	m.mu.Unlock()
	m.active.Done()
}

// tellWaiting warns when runs wait for room: scripts that hang take one place
// after the other, until no hook's script starts any more. The caller holds mu.
func (m *Memory) tellWaiting() {
	if len(m.waiting) == 0 || time.Since(m.told) < tellEvery {
		return
	}
	m.told = time.Now()
	var oldest began
	for _, b := range m.began {
		if !b.sync && (oldest.since.IsZero() || b.since.Before(oldest.since)) {
			oldest = b
		}
	}
	m.options.Log.Warn().Int("waiting", len(m.waiting)).Int("places", m.options.Concurrent).
		Str("oldest", oldest.hook).Time("since", oldest.since).
		Msg("runs wait: all places for scripts (-max-concurrent) are taken; process.timeout ends scripts that hang")
}

// room reports whether so much more can wait. One delivery that is larger than
// the bound is accepted when nothing waits. The caller holds mu.
func (m *Memory) room(bytes int64) bool {
	return m.bytes == 0 || m.bytes+bytes <= m.options.MaxBytes
}

// work runs one run, and then what waits, until nothing does.
func (m *Memory) work(r run.Run) {
	for more := true; more; r, more = m.next() {
		m.attempt(r, nil)
	}
}

// attempt starts a run that was entered. What a delivery may hold is a
// stranger's choice: should it make Pawl panic, that run fails and no other.
func (m *Memory) attempt(r run.Run, output io.Writer) (outcome run.Outcome) {
	defer m.leave(r)
	defer func() {
		if fault := recover(); fault != nil {
			m.options.Log.Error().Interface("fault", fault).Bytes("stack", debug.Stack()).
				Str("hook", r.Hook).Str("run", r.ID).Msg("a run made Pawl panic; please report this")
			outcome = run.Outcome{End: run.NotStarted, ExitCode: -1, Reason: "Pawl failed while it ran"}
		}
	}()
	return m.start(m.ctx, r, output)
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
	m.bytes -= cost(r)
	m.enter(r, false)
	return r, true
}

// Now runs a run whose caller waits for its end and reads its output, and
// submits others when that run may start. It does not stand behind queued runs,
// only behind others of its kind. accepted is called when all of them are
// accepted, before the run starts. With an error nothing was: it is ErrFull,
// ErrStopped, or that of ctx, which ended before the run's turn came. Afterwards
// the end of ctx changes nothing.
func (m *Memory) Now(ctx context.Context, r run.Run, others []run.Run, output io.Writer, accepted func()) (run.Outcome, error) {
	if err := m.turn(ctx, cost(r)); err != nil {
		return run.Outcome{}, err
	}
	defer func() { <-m.sync }()
	m.mu.Lock()
	if err := m.submit(others); err != nil {
		m.mu.Unlock()
		return run.Outcome{}, err
	}
	m.enter(r, true)
	m.mu.Unlock()
	accepted()
	return m.attempt(r, output), nil
}

// turn waits for a token of those who wait for output.
func (m *Memory) turn(ctx context.Context, bytes int64) error {
	select {
	case m.sync <- struct{}{}:
		return nil
	default:
	}
	m.mu.Lock()
	stopping, room := m.stopping, m.room(bytes)
	if !stopping && room {
		m.bytes += bytes
	}
	m.mu.Unlock()
	switch {
	case stopping:
		return ErrStopped
	case !room:
		return ErrFull
	}
	defer func() {
		m.mu.Lock()
		m.bytes -= bytes
		m.mu.Unlock()
	}()
	select {
	case m.sync <- struct{}{}:
		return nil
	case <-m.stopped:
		return ErrStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close accepts and starts nothing more. It gives the runs that waited, which
// are lost, and the number of attempts that still run. To call it again does no
// harm.
func (m *Memory) Close() (lost []run.Run, running int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.stopping {
		m.stopping = true
		close(m.stopped)
	}
	lost, m.waiting = m.waiting, nil
	return lost, len(m.began)
}

// Stop closes the engine, waits until what runs has ended, interrupts it when
// grace is over or ctx ends, and returns when nothing runs.
func (m *Memory) Stop(ctx context.Context, grace time.Duration) {
	m.Close()
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
}
