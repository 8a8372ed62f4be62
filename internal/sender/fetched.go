package sender

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// failurePause is how long a failed fetch is not tried again: deliveries that
	// come meanwhile are answered at once.
	failurePause = 10 * time.Second

	maxFetches = 4   // at a time, of one hook
	maxGood    = 16  // what is kept; Amazon exchanges its certificate once a year
	maxFailed  = 128 // failures that are remembered
)

var errBusy = errors.New("too many fetches are under way; a repetition of the delivery will find them done")

// fetched keeps what was fetched, by URL. Of several who want one URL at a time
// one fetches. It is bounded in each direction, because deliveries name the
// URLs: a stranger can make up names, and must not push out what is good.
type fetched[T any] struct {
	fetch    func(ctx context.Context, url string) (T, error)
	lifetime time.Duration // of what is good

	mu      sync.Mutex
	entries map[string]*entry[T]
	running int
}

type entry[T any] struct {
	done  chan struct{} // closed when value and err are there
	at    time.Time     // when they came
	value T
	err   error
}

func newFetched[T any](lifetime time.Duration, fetch func(ctx context.Context, url string) (T, error)) *fetched[T] {
	return &fetched[T]{fetch: fetch, lifetime: lifetime, entries: map[string]*entry[T]{}}
}

// get gives what is at url, fetched or kept.
func (f *fetched[T]) get(ctx context.Context, url string) (T, error) {
	f.mu.Lock()
	e, ok := f.entries[url]
	if ok && e.ended() && time.Since(e.at) >= f.keeps(e) {
		ok = false
	}
	if !ok {
		if f.running >= maxFetches {
			f.mu.Unlock()
			var none T
			return none, errBusy
		}
		f.running++
		f.makeRoom()
		e = &entry[T]{done: make(chan struct{})}
		f.entries[url] = e
	}
	f.mu.Unlock()
	if !ok {
		f.run(ctx, url, e)
	}
	select {
	case <-e.done:
		return e.value, e.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// run fetches for all who wait, so that it goes on when the caller hangs up; the
// fetch has its own time-out.
func (f *fetched[T]) run(ctx context.Context, url string, e *entry[T]) {
	e.err = errors.New("the fetch broke down") // if fetch panics
	defer func() {
		f.mu.Lock()
		e.at = time.Now()
		f.running--
		f.mu.Unlock()
		close(e.done)
	}()
	e.value, e.err = f.fetch(context.WithoutCancel(ctx), url)
}

func (e *entry[T]) ended() bool {
	select {
	case <-e.done:
		return true
	default:
		return false
	}
}

func (f *fetched[T]) keeps(e *entry[T]) time.Duration {
	if e.err != nil {
		return failurePause
	}
	return f.lifetime
}

// makeRoom drops what is out of date, and the oldest of its kind where there are
// too many.
func (f *fetched[T]) makeRoom() {
	var good, failed []string
	for url, e := range f.entries {
		switch {
		case !e.ended():
		case time.Since(e.at) >= f.keeps(e):
			delete(f.entries, url)
		case e.err != nil:
			failed = append(failed, url)
		default:
			good = append(good, url)
		}
	}
	f.dropOldest(good, maxGood)
	f.dropOldest(failed, maxFailed)
}

func (f *fetched[T]) dropOldest(urls []string, bound int) {
	for len(urls) >= bound {
		oldest := 0
		for i, url := range urls {
			if f.entries[url].at.Before(f.entries[urls[oldest]].at) {
				oldest = i
			}
		}
		delete(f.entries, urls[oldest])
		urls = append(urls[:oldest], urls[oldest+1:]...)
	}
}
