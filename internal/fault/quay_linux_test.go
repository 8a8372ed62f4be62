//go:build e2e

package fault

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Quay's times, shortened to a tenth.
const (
	quayTimeout = time.Second     // for an answer
	quayRest    = 3 * time.Second // between two tries
	quayTries   = 3               // that fail one after the other, and it is silent for good
)

// quays are senders that behave as Quay does, each with a key of its own.
type quays struct {
	p      *pawl
	hooks  []string // in turn, one for each sender
	body   int      // bytes, at random
	paused time.Duration

	mu       sync.Mutex
	answered []answered
	refused  []reply // answers that were no acceptance
	failed   []error // tries that were not answered in time
	silent   []string
	all      sync.WaitGroup
}

// begin has so many senders deliver until ctx ends. A delivery that is being
// tried then is tried on until it is answered.
func (q *quays) begin(ctx context.Context, senders int, random *rand.Rand) {
	for i := range senders {
		seed := random.Uint64()
		q.all.Go(func() {
			text := rand.New(rand.NewPCG(seed, 0))
			for number := 1; ctx.Err() == nil; number++ {
				if !q.deliver(q.hooks[i%len(q.hooks)], fmt.Sprint("quay", i), number, noise(text, q.body)) {
					return
				}
				time.Sleep(q.paused) // a sender's own pace
			}
		})
	}
}

// noise is what cannot be compressed much.
func noise(random *rand.Rand, bytes int) string {
	b := make([]byte, bytes)
	for i := range b {
		b[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[random.IntN(64)]
	}
	return string(b)
}

// deliver tries until the delivery is accepted; false when the sender has become
// silent.
func (q *quays) deliver(hook, key string, number int, body string) bool {
	for range quayTries {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(q.p.t.Context()), quayTimeout)
		r, err := q.p.post(ctx, hook, key, number, "", body)
		cancel()
		q.mu.Lock()
		switch {
		case err != nil:
			q.failed = append(q.failed, err)
		case r.accepted():
			q.answered = append(q.answered, answered{hook, number, r})
		default:
			q.refused = append(q.refused, r)
		}
		q.mu.Unlock()
		if err == nil && r.accepted() {
			return true
		}
		time.Sleep(quayRest)
	}
	q.mu.Lock()
	q.silent = append(q.silent, key)
	q.mu.Unlock()
	return false
}

// tally is how many deliveries were accepted, refused and not answered so far.
func (q *quays) tally() (accepted, refused, failed int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.answered), len(q.refused), len(q.failed)
}

// settle waits for the senders, and says what went wrong with them.
func (q *quays) settle() {
	q.all.Wait()
	for _, key := range q.silent {
		q.p.t.Errorf("%s has become silent for good", key)
	}
	for _, err := range q.failed[:min(5, len(q.failed))] {
		q.p.t.Errorf("one of %d deliveries without an answer: %v", len(q.failed), err)
	}
}
