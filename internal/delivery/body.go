package delivery

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// ErrTooLarge says that a body is larger than one body may be: 413.
var ErrTooLarge = errors.New("the request's body is too large")

// ErrBusy says that all bodies together take as much memory as they may: 503,
// and the sender may try again.
var ErrBusy = errors.New("too many request bodies at once")

// Budget bounds the memory of all bodies that are being read or held. A nil
// Budget has no bound. It may be used from any goroutine.
type Budget struct {
	max  int64
	used atomic.Int64
}

// NewBudget makes a budget of max bytes.
func NewBudget(max int64) *Budget { return &Budget{max: max} }

// acquire takes n bytes such that spare bytes are left for others, or none and
// reports false. It never waits: who cannot have memory now must be told so, not
// held with what it has already.
func (b *Budget) acquire(n, spare int64) bool {
	if b == nil {
		return true
	}
	if b.used.Add(n) <= b.max-spare {
		return true
	}
	b.used.Add(-n)
	return false
}

// Scarce reports whether more than half of the budget is taken.
func (b *Budget) Scarce() bool { return b != nil && b.used.Load() > b.max/2 }

// release gives back n bytes that were acquired.
func (b *Budget) release(n int64) {
	if b != nil {
		b.used.Add(-n)
	}
}

// firstBuffer is what a body gets when its first byte has come, unless less was
// announced. Then it gets twice what has come, up to what was announced: who
// announces a large body and does not send it holds no more than this.
const firstBuffer = 4 << 10

// ReadBody reads a body of at most max bytes. contentLength is what the sender
// announced, -1 if nothing.
//
// The memory is taken from budget as the body comes, never more than twice what
// came (but 4 KiB at once), and given back by release, which is never nil and may
// be called more than once. The error is ErrTooLarge or ErrBusy, both
// without data, or the reader's: a body that was cut short or came too slowly,
// with what was read of it.
func ReadBody(body io.Reader, contentLength, max int64, budget *Budget) (data []byte, release func(), err error) {
	b := buffer{max: max, budget: budget}
	if contentLength > max {
		return nil, func() {}, ErrTooLarge
	}
	err = b.readAll(body, contentLength)
	if errors.Is(err, ErrTooLarge) || errors.Is(err, ErrBusy) {
		budget.release(b.held)
		return nil, func() {}, err
	}
	var once sync.Once
	held := b.held
	return b.data, func() { once.Do(func() { budget.release(held) }) }, err
}

// smallBody is the size, in bytes, up to which a body may take the last quarter of
// a budget: most deliveries are much smaller, and must have their place also where
// a few large ones hold all the rest.
const smallBody = 1 << 20

// spare is what a body that is to hold size bytes leaves for smaller ones, as far
// as the largest body that is taken can be read at all then.
func (b *buffer) spare(size int64) int64 {
	if b.budget == nil || size <= smallBody {
		return 0
	}
	return min(b.budget.max/4, b.budget.max-b.max)
}

type buffer struct {
	data   []byte
	held   int64 // bytes taken from budget
	max    int64
	budget *Budget
}

// grow makes room for size bytes in all, more than there is. slices.Grow would
// make up to a quarter more than is asked of the budget.
func (b *buffer) grow(size int64) error {
	if !b.budget.acquire(size-b.held, b.spare(size)) {
		return ErrBusy
	}
	b.held = size
	b.data = append(make([]byte, 0, size), b.data...)
	return nil
}

func (b *buffer) readAll(body io.Reader, contentLength int64) error {
	var one [1]byte
	for idle := 0; idle < 100; idle++ {
		// When the buffer is full, and at first, whether there is more is asked with
		// one byte: most bodies end just there, and must not be copied into a larger
		// one; and as long as nothing comes nothing is held.
		room := b.data[len(b.data):b.held]
		full := len(room) == 0
		if full {
			room = one[:]
		}
		n, err := body.Read(room)
		if n > 0 {
			idle = 0
			if full {
				if int64(len(b.data)) == b.max {
					return ErrTooLarge
				}
				if err := b.grow(b.next(contentLength)); err != nil {
					return err
				}
			}
			b.data = append(b.data, room[:n]...)
		}
		switch {
		case err == nil:
		case err == io.EOF:
			return nil
		case isTooLarge(err):
			return ErrTooLarge
		default:
			return fmt.Errorf("read the request's body, after %d bytes: %w", len(b.data), err)
		}
	}
	return fmt.Errorf("read the request's body: %w", io.ErrNoProgress)
}

// next is the size that follows the present one, when that has come.
func (b *buffer) next(contentLength int64) int64 {
	size := max(2*b.held, firstBuffer)
	if contentLength > b.held {
		size = min(size, contentLength)
	}
	return min(size, b.max)
}

func isTooLarge(err error) bool {
	var tooLarge *http.MaxBytesError
	return errors.As(err, &tooLarge)
}
