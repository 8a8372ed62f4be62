package embedded

import (
	"bytes"
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// bed is what an engine's own tests lie it in: hooks, scripts of a second, a
// log to be read.
type bed struct {
	t     testing.TB
	hooks map[string]*hook.Hook
	mu    sync.Mutex
	log   bytes.Buffer
	began []string
}

func newBed(t testing.TB, hooks ...*hook.Hook) *bed {
	b := &bed{t: t, hooks: map[string]*hook.Hook{}}
	for _, h := range hooks {
		if h.Keep == (hook.Keep{}) {
			h.Keep = hook.Keep{Runs: hook.DefaultKeepRuns, Age: hook.DefaultKeepAge}
		}
		b.hooks[h.ID] = h
	}
	return b
}

// Write takes the log.
func (b *bed) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(p)
}

func (b *bed) logged() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.String()
}

// attempts counts those that have begun.
func (b *bed) attempts() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.began)
}

func (b *bed) options(directory string) Options {
	return Options{Directory: directory, Options: engine.Options{
		Start: b.start, Hook: func(id string) *hook.Hook { return b.hooks[id] },
		Concurrent: 10, Sync: 2, Log: zerolog.New(b),
	}}
}

func (b *bed) start(ctx context.Context, r run.Run, _ io.Writer) run.Outcome {
	b.mu.Lock()
	b.began = append(b.began, r.ID)
	b.mu.Unlock()
	select {
	case <-time.After(time.Second):
		return run.Outcome{End: run.Exited}
	case <-ctx.Done():
		return run.Outcome{End: run.Interrupted, ExitCode: -1, Reason: "stopped"}
	}
}

// open opens an engine that ends with the test.
func (b *bed) open(o Options) *Engine {
	b.t.Helper()
	e, err := Open(context.Background(), o)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = e.Stop(context.Background(), 0) })
	return e
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// submissionOf is a delivery with one run of a hook, and the run's id.
func submissionOf(hook, key string) (run.Submission, string) {
	r := run.Run{ID: newID(), Hook: hook, Key: run.Key{Text: key, Set: key != ""}}
	d := &run.Delivery{ID: newID(), Received: time.Now(), Method: "POST", Path: "/hooks/" + hook, Body: bytes.Repeat([]byte("x"), 300)}
	return run.Submission{Delivery: d, Parts: []run.Part{{Hook: hook, Runs: []run.Run{r}}}}, r.ID
}

func (b *bed) submit(e *Engine, hook, key string) string {
	b.t.Helper()
	s, id := submissionOf(hook, key)
	if _, err := e.Submit(context.Background(), s); err != nil {
		b.t.Fatalf("submit: %v", err)
	}
	return id
}

// fails is a script that fails after a second.
func (b *bed) fails(ctx context.Context, r run.Run, output io.Writer) run.Outcome {
	o := b.start(ctx, r, output)
	if o.End == run.Exited {
		o.ExitCode = 1
	}
	return o
}
