package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/pawlhq/pawl/internal/process"
)

// lookEvery is how often it is looked how much the scripts that run have
// written. One that ends within this time costs no look.
const lookEvery = time.Second

// ErrNotRunning says that no attempt of a run goes on.
var ErrNotRunning = errors.New("no attempt of the run goes on")

// live is an attempt that goes on.
type live struct {
	process    *process.Process
	place      place
	bound      int64 // of what it may write to its place
	began      time.Time
	overflowed atomic.Bool // it was stopped because it wrote more
}

// enter notes an attempt that goes on, so that it can be found, killed and
// looked at.
func (r *Runner) enter(id string, p *process.Process, own place, bound int64) *live {
	l := &live{process: p, place: own, bound: bound, began: time.Now()}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running[id] = l
	if r.killed {
		p.Kill()
	}
	if !r.looking {
		r.looking = true
		time.AfterFunc(lookEvery, r.look)
	}
	return l
}

// leave notes its end.
func (r *Runner) leave(id string, l *live) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running[id] == l {
		delete(r.running, id)
	}
}

func (r *Runner) find(id string) *live {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running[id]
}

// look stops the scripts that have written more than their hooks keep. One look
// serves all that run, and there is none while nothing does.
func (r *Runner) look() {
	r.mu.Lock()
	old := make([]*live, 0, len(r.running))
	for _, l := range r.running {
		if l.place.path != "" && time.Since(l.began) >= lookEvery {
			old = append(old, l)
		}
	}
	r.mu.Unlock()
	for _, l := range old {
		if measure(l.place.path, l.bound, false).cost > l.bound {
			l.overflowed.Store(true)
			l.process.Stop()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looking = len(r.running) > 0
	if r.looking {
		time.AfterFunc(lookEvery, r.look)
	}
}

// Follow writes what the attempt of a run that goes on has printed, as far as it
// is kept, and then all that it prints, until it ends, ctx does, or w fails. What
// is left out between, or because w is too slow, is told in a line of its own;
// the script never waits. The error is ErrNotRunning, that of ctx or of w.
func (r *Runner) Follow(ctx context.Context, id string, w io.Writer) error {
	l := r.find(id)
	if l == nil {
		return ErrNotRunning
	}
	tap, kept, head, omitted := l.process.Tap()
	defer tap.Close()
	if err := writePart(w, kept[:head], omitted); err != nil {
		return err
	}
	if err := writePart(w, kept[head:], 0); err != nil {
		return err
	}
	for {
		data, missed, err := tap.Next(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := writePart(w, data, missed); err != nil {
			return err
		}
	}
}

// writePart writes a part of an output, and how much is missing after it.
func writePart(w io.Writer, data []byte, missing int64) error {
	if len(data) > 0 {
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	if missing == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n… %d bytes are left out here …\n", missing)
	return err
}
