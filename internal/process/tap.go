package process

import (
	"context"
	"io"
	"slices"
	"sync"
)

// tapBuffer bounds what waits for one reader of a Tap.
const tapBuffer = 256 << 10

// Tap reads along with the output of a running process. A reader that is too
// slow misses a part of it, and is told how much; the process never waits.
type Tap struct {
	from  *collector
	ready chan struct{} // holds one notice

	mu     sync.Mutex
	buffer []byte
	missed int64 // bytes that came after those of buffer, when it was full
	ended  bool
}

// Tap gives what was kept of the output so far, in the words of a Result, and a
// Tap for what comes from there on. The caller closes it.
func (p *Process) Tap() (t *Tap, kept []byte, head int, omitted int64) {
	c := p.output
	c.begin()
	t = &Tap{from: c, ready: make(chan struct{}, 1)}
	c.mu.Lock()
	defer c.mu.Unlock()
	kept, head = c.keep.bytes()
	if c.closed {
		t.end()
	} else {
		c.taps = append(c.taps, t)
	}
	return t, kept, head, c.keep.total - int64(len(kept))
}

// Next waits for output, and gives it with the number of bytes that were missed
// after it. At the end of the output the error is io.EOF, else the context's.
func (t *Tap) Next(ctx context.Context) (data []byte, missed int64, err error) {
	for {
		t.mu.Lock()
		data, missed, t.buffer, t.missed = t.buffer, t.missed, nil, 0
		ended := t.ended
		t.mu.Unlock()
		switch {
		case len(data) > 0 || missed > 0:
			return data, missed, nil
		case ended:
			return nil, 0, io.EOF
		}
		select {
		case <-t.ready:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

// Close ends the reading along.
func (t *Tap) Close() {
	t.from.mu.Lock()
	defer t.from.mu.Unlock()
	if at := slices.Index(t.from.taps, t); at >= 0 {
		t.from.taps = slices.Delete(t.from.taps, at, at+1)
	}
}

// put adds what came.
func (t *Tap) put(data []byte) {
	if len(data) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	if t.missed == 0 { // else these bytes would stand before those missed
		n = min(len(data), tapBuffer-len(t.buffer))
	}
	t.buffer = append(t.buffer, data[:n]...)
	t.missed += int64(len(data) - n)
	t.tell()
}

// end says that no more comes.
func (t *Tap) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	t.tell()
}

func (t *Tap) tell() {
	select {
	case t.ready <- struct{}{}:
	default: // one is enough
	}
}
