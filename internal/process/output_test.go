//go:build unix

package process

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"
)

// Not parallel: it counts what this process allocates.
func TestMemoryIsBounded(t *testing.T) {
	const size, limit = 256 << 20, 1 << 20
	spec := script(t, "spew", fmt.Sprint(size))
	spec.KeepOutput = limit
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := run(t, spec)
	runtime.ReadMemStats(&after)
	if len(r.Output) != limit || r.Head != limit/2 || r.Omitted != size-limit {
		t.Fatalf("kept %d (head %d), omitted %d of %d", len(r.Output), r.Head, r.Omitted, size)
	}
	for at, block := range map[int]int{
		0:              0,                         // the head's first
		spewed:         1,                         // and second block
		r.Head:         (size - limit/2) / spewed, // the tail's first
		limit - spewed: size/spewed - 1,           // and last block
	} {
		if got, want := string(r.Output[at:at+16]), fmt.Sprintf("%015d\n", block); got != want {
			t.Errorf("output at %d: %q, want %q", at, got, want)
		}
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 8*limit {
		t.Errorf("%d bytes were allocated in all for %d kept", got, limit)
	}
}

func TestAFailingWriterDoesNotStopTheProcess(t *testing.T) {
	t.Parallel()
	spec := script(t, "spew", fmt.Sprint(1<<20))
	calls := 0
	spec.Output = writerFunc(func([]byte) (int, error) { calls++; return 0, errors.New("the client went away") })
	r := run(t, spec)
	if r.ExitCode != 0 || len(r.Output) != 1<<20 || calls != 1 {
		t.Errorf("exit code %d, %d bytes kept, %d writes; want 0, all, 1", r.ExitCode, len(r.Output), calls)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestKeeper(t *testing.T) {
	t.Parallel()
	text := "0123456789abcdefghijklmnopqrstuvwxyz"
	for limit := range len(text) + 3 {
		for size := range len(text) + 1 {
			for _, chunk := range []int{1, 2, 3, 7, 100} {
				k := keeper{limit: limit}
				for part := range slices.Chunk([]byte(text[:size]), chunk) {
					k.write(part)
				}
				got, head := k.bytes()
				want, wantHead := text[:size], min(size, limit/2)
				if size > limit {
					want = text[:limit/2] + text[size-(limit-limit/2):size]
				}
				if string(got) != want || head != wantHead || k.total != int64(size) {
					t.Fatalf("limit %d, %d bytes by %d: %q (head %d), want %q (head %d)", limit, size, chunk, got, head, want, wantHead)
				}
			}
		}
	}
}

// A slow client must not cost the end of the output, which waits in the pipe
// while the deadline passes.
func TestASlowWriterGetsAll(t *testing.T) {
	t.Parallel()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	const size = readBuffer + 8<<10
	if _, err := write.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	entered, release := make(chan struct{}, size), make(chan struct{})
	c := newCollector(read, size, writerFunc(func(p []byte) (int, error) {
		entered <- struct{}{}
		<-release
		return len(p), nil
	}))
	go c.run()
	<-entered
	if err := read.SetReadDeadline(time.Now().Add(-time.Second)); err != nil { // the time is up
		t.Fatal(err)
	}
	close(release)
	<-c.done
	if got, _, omitted, held := c.kept(); len(got) != size || omitted != 0 || !held {
		t.Errorf("kept %d of %d bytes, omitted %d, held %v", len(got), size, omitted, held)
	}
}
