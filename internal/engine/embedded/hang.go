package embedded

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
)

// hangAfter is how long a transaction may take before the disk counts as one
// that does not answer. A busy one takes a second at the worst.
const hangAfter = 5 * time.Second

// errHangs says that the disk does not answer at all: no error, no end.
var errHangs = errors.New("the disk does not answer")

// writing is since when the loop is in a transaction. A disk that hangs keeps it
// there, so others must look.
type writing struct{ since atomic.Pointer[time.Time] }

func (w *writing) begin(now time.Time) { w.since.Store(&now) }
func (w *writing) end()                { w.since.Store(nil) }

// hangs gives an engine.ErrUnavailable where the disk does not answer, else nil.
func (w *writing) hangs(now func() time.Time) error {
	since := w.since.Load()
	if since == nil {
		return nil
	}
	if took := now().Sub(*since); took > hangAfter {
		return fmt.Errorf("%w: %w, for %s so far", engine.ErrUnavailable, errHangs, took.Round(time.Second))
	}
	return nil
}
