package sender

import (
	"crypto/rsa"
	"testing"
	"time"
)

// Who has its key does not wait for keys that a stranger's token asks for.
func TestKnownKeysAreFoundWhileOthersAreFetched(t *testing.T) {
	now := time.Now()
	r := &remoteKeys{keys: []jwk{{"known", &rsa.PublicKey{}}}, fetched: now, tried: now.Add(-2 * unknownPause)}
	r.fetching.Lock() // as long as a fetch takes
	defer r.fetching.Unlock()
	found := make(chan int)
	go func() {
		keys, _ := r.find(t.Context(), "known")
		found <- len(keys)
	}()
	select {
	case n := <-found:
		if n != 1 {
			t.Errorf("%d keys are found, want 1", n)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for the fetch")
	}
}
