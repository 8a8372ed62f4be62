package enginetest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// Bench measures the engine that open opens, in real time: scripts are played
// by a func that does nothing, so that what is left is the engine's own cost.
// Beside the time of an operation the benchmarks tell how many there are in a
// second.
func Bench(b *testing.B, open Open) {
	b.Run("Submit", func(b *testing.B) { benchSubmit(b, open) })
	b.Run("SubmitAndRun", func(b *testing.B) { benchSubmitAndRun(b, open) })
	b.Run("Attend", func(b *testing.B) { benchAttend(b, open) })
	b.Run("List", func(b *testing.B) { benchList(b, open) })
}

const (
	senders = 64      // goroutines that submit
	callers = 8       // goroutines that attend
	history = 100_000 // runs that lists are made of
)

// bench is an engine with hooks, and scripts that do nothing.
type bench struct {
	engine engine.Engine
	ended  atomic.Int64
}

// begin opens an engine whose attempts end as end says.
func begin(b *testing.B, open Open, end func(r run.Run) run.Outcome) *bench {
	b.Helper()
	work := &bench{}
	hooks := map[string]*hook.Hook{}
	for _, id := range []string{"build", "scan", "deploy", "paused"} {
		hooks[id] = &hook.Hook{ID: id, Retry: hook.Retry{Attempts: 1}, Keep: hook.Keep{Runs: 10_000_000, Age: time.Hour * 24}}
	}
	work.engine = open(b, b.TempDir(), engine.Options{
		Start: func(_ context.Context, r run.Run, _ io.Writer) run.Outcome {
			outcome := end(r)
			outcome.Started = time.Now()
			outcome.Ended = outcome.Started
			work.ended.Add(1)
			return outcome
		},
		Hook:       func(id string) *hook.Hook { return hooks[id] },
		Follow:     func(*run.Record) (run.Submission, bool) { return run.Submission{}, false },
		Concurrent: 32, Sync: 32, Log: zerolog.Nop(),
	})
	b.Cleanup(func() { work.stop(b) })
	if err := work.engine.Pause(b.Context(), "paused", "benchmark"); err != nil {
		b.Fatal(err)
	}
	return work
}

func (w *bench) stop(b *testing.B) {
	if err := w.engine.Stop(context.WithoutCancel(b.Context()), time.Minute); err != nil {
		b.Errorf("stop: %v", err)
	}
}

func well(run.Run) run.Outcome { return run.Outcome{End: run.Exited} }

// posted is a delivery of 300 bytes with usual headers, and one run.
func posted(hook string) run.Submission {
	return run.Submission{
		Delivery: &run.Delivery{
			ID: newID(), Received: time.Now(), Method: http.MethodPost, Path: "/hooks/" + hook, Host: "pawl.example:9000",
			Header: http.Header{
				"Content-Type": {"application/json"}, "User-Agent": {"bench/1"}, "Accept-Encoding": {"gzip"},
				"X-Event": {"push"}, "Content-Length": {"300"},
			},
			Body:       []byte(`{"ref":"refs/heads/main","pad":"` + strings.Repeat("x", 266) + `"}`),
			RemoteAddr: "192.0.2.7:41234",
		},
		Parts: []run.Part{{Hook: hook, Runs: []run.Run{{ID: newID(), Hook: hook}}}},
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// share has so many goroutines do something b.N times in all.
func share(b *testing.B, goroutines int, do func() error) {
	b.Helper()
	b.ReportAllocs()
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := do(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

func perSecond(b *testing.B) {
	b.Helper()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "/s")
}

// benchSubmit accepts runs that wait, so that nothing but accepting is measured.
func benchSubmit(b *testing.B, open Open) {
	w := begin(b, open, well)
	share(b, senders, func() error {
		_, err := w.engine.Submit(b.Context(), posted("paused"))
		return err
	})
	perSecond(b)
}

// benchSubmitAndRun is over when the last run has ended.
func benchSubmitAndRun(b *testing.B, open Open) {
	w := begin(b, open, well)
	share(b, senders, func() error {
		_, err := w.engine.Submit(b.Context(), posted("build"))
		return err
	})
	w.rest(b, 0)
	perSecond(b)
}

// rest waits until no more runs wait or run than are left for good.
func (w *bench) rest(b *testing.B, waiting int) {
	b.Helper()
	for {
		s := w.engine.Status()
		if s.Waiting <= waiting && s.Running == 0 {
			return
		}
		select {
		case <-b.Context().Done():
			b.Fatal(b.Context().Err())
		case <-time.After(100 * time.Microsecond):
		}
	}
}

func benchAttend(b *testing.B, open Open) {
	w := begin(b, open, well)
	share(b, callers, func() error {
		_, _, err := w.engine.Attend(b.Context(), posted("build"), engine.Live{Output: io.Discard})
		return err
	})
	perSecond(b)
}

// benchList asks for the newest 50 of 100,000 runs by each filter and by each
// two of them; one key is that of a single run, the oldest.
func benchList(b *testing.B, open Open) {
	w := begin(b, open, func(r run.Run) run.Outcome {
		if strings.HasSuffix(r.Element, "7") {
			return run.Outcome{End: run.Exited, ExitCode: 1}
		}
		return run.Outcome{End: run.Exited}
	})
	since := w.fill(b)
	key, rare := "key-3", "key-rare"
	filters := []struct {
		name   string
		filter engine.Filter
	}{
		{"all", engine.Filter{}},
		{"hook", engine.Filter{Hook: "scan"}},
		{"state", engine.Filter{State: run.Failed}},
		{"waiting", engine.Filter{State: run.Queued}},
		{"key", engine.Filter{Key: &key}},
		{"rare key", engine.Filter{Key: &rare}},
		{"since", engine.Filter{Since: since}},
		{"before", engine.Filter{Before: since}},
		{"hook state", engine.Filter{Hook: "scan", State: run.Failed}},
		{"hook key", engine.Filter{Hook: "scan", Key: &key}},
		{"hook since", engine.Filter{Hook: "scan", Since: since}},
		{"state key", engine.Filter{State: run.Failed, Key: &key}},
		{"state since", engine.Filter{State: run.Failed, Since: since}},
		{"key since", engine.Filter{Key: &key, Since: since}},
		{"nothing", engine.Filter{Hook: "deploy", State: run.Cancelled}},
	}
	for _, f := range filters {
		b.Run(strings.ReplaceAll(f.name, " ", "+"), func(b *testing.B) {
			for b.Loop() {
				if _, err := w.engine.List(b.Context(), f.filter, engine.Page{Limit: 50}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fill makes history, most of it ended, and gives the moment after which a tenth
// of it was accepted.
func (w *bench) fill(b *testing.B) (since time.Time) {
	b.Helper()
	const each = 500
	hooks := []string{"build", "scan", "deploy", "scan", "paused"}
	for i := range history / each {
		if i == history/each*9/10 {
			since = time.Now()
		}
		s := posted(hooks[i%len(hooks)])
		part := &s.Parts[0]
		part.Runs = part.Runs[:0]
		for j := range each {
			key := run.Key{Text: fmt.Sprintf("key-%d", j%7), Set: j%2 == 0}
			if i == 0 && j == 0 {
				key = run.Key{Text: "key-rare", Set: true}
			}
			part.Runs = append(part.Runs, run.Run{ID: newID(), Hook: part.Hook, Key: key, Element: fmt.Sprint(j)})
		}
		if _, err := w.engine.Submit(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
	w.rest(b, history/len(hooks))
	return since
}
