package embedded

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pawlhq/pawl/internal/database"
)

// starting reports whether runs may start.
func (e *Engine) starting() bool { return !e.closed.Load() && e.base.Err() == nil }

// Close accepts and starts nothing more; see engine.Engine.
func (e *Engine) Close() (active int, lost []string) {
	e.closeOnce.Do(func() {
		e.shared.mu.Lock() // nobody is just entering what runs beside all limits
		e.closed.Store(true)
		e.shared.mu.Unlock()
		close(e.stopping)
	})
	// What the loop was doing when it was told is done after this.
	_ = e.ask(context.Background(), func(*tx, *request) error { return nil })
	e.shared.mu.Lock()
	active = e.shared.running + len(e.shared.beside)
	e.shared.mu.Unlock()
	if !e.options.Memory {
		return active, nil
	}
	for p := ready; p < running; p++ {
		_ = e.db.View(context.Background(), func(c *database.Conn) error {
			return each(c, func(r *database.Rows) { lost = append(lost, idText(r.Raw(0))) }, idsOfPhase, int64(p))
		})
	}
	return active, lost
}

// Stop ends the engine; see engine.Engine.
func (e *Engine) Stop(ctx context.Context, grace time.Duration) error {
	e.Close()
	ended := make(chan struct{})
	go func() {
		e.attempts.Wait()
		close(ended)
	}()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	case <-ctx.Done():
	}
	e.interrupt(errStops)
	<-ended
	e.finishOnce.Do(func() { close(e.finish) })
	<-e.done
	e.hearers.Wait()
	return e.stopError
}

// last is the end of the loop.
func (e *Engine) last() {
	l := &e.loop
	if l.broken == nil {
		e.saveAll()
	}
	if l.broken != nil {
		e.stopError = fmt.Errorf("the ends of %d runs could not be written, they will run again: %w", len(l.kept), l.broken)
	}
	e.stopError = errors.Join(e.stopError, e.db.Close())
}
