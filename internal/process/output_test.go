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
	from, write := testPipe(t)
	const size = readBuffer + 8<<10
	if _, err := write.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	entered, release := make(chan struct{}, size), make(chan struct{})
	c := newCollector(from, size, writerFunc(func(p []byte) (int, error) {
		entered <- struct{}{}
		<-release
		return len(p), nil
	}))
	c.begin()
	<-entered
	if err := c.pipe.SetReadDeadline(time.Now().Add(-time.Second)); err != nil { // the time is up
		t.Fatal(err)
	}
	close(release)
	<-c.done
	if got, _, omitted, held := c.kept(); len(got) != size || omitted != 0 || !held {
		t.Errorf("kept %d of %d bytes, omitted %d, held %v", len(got), size, omitted, held)
	}
}

// testPipe is a pipe as a process has it.
func testPipe(t *testing.T) (outlet, *os.File) {
	t.Helper()
	read, write, err := pipe()
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(write), "write")
	t.Cleanup(func() { file.Close() })
	return outlet{read}, file
}

// What a script printed is there, whoever reads it: nobody before its end, or a
// goroutine that began at any moment before.
func TestReadingLateReadsAll(t *testing.T) {
	t.Parallel()
	text := make([]byte, pipeCapacity)
	for i := range text {
		text[i] = byte(i % 251)
	}
	for _, size := range []int{0, 1, firstRead - 1, firstRead, firstRead + 1, readBuffer, len(text)} {
		for _, begin := range []string{"never", "before", "at the end"} {
			from, write := testPipe(t)
			c := newCollector(from, 1<<20, nil)
			if begin == "before" {
				c.begin()
			}
			if _, err := write.Write(text[:size]); err != nil {
				t.Fatal(err)
			}
			write.Close()
			if begin == "at the end" {
				go c.begin()
			}
			c.finish(time.Minute)
			if got, _, omitted, held := c.kept(); string(got) != string(text[:size]) || omitted != 0 || held {
				t.Errorf("%d bytes, begun %s: kept %d, omitted %d, held %v", size, begin, len(got), omitted, held)
			}
			c.begin() // it has ended
		}
	}
}

// A leftover that prints on must not be read for ever.
func TestReadingLateEnds(t *testing.T) {
	t.Parallel()
	from, write := testPipe(t)
	c := newCollector(from, 1<<10, nil)
	go func() {
		block := make([]byte, pipeCapacity)
		for {
			if _, err := write.Write(block); err != nil {
				return
			}
		}
	}()
	c.finish(50 * time.Millisecond)
	if _, _, omitted, held := c.kept(); !held || omitted == 0 {
		t.Errorf("held %v, omitted %d", held, omitted)
	}
}

func TestSomebodyReadsSoon(t *testing.T) {
	t.Parallel()
	var u unread
	from, write := testPipe(t)
	c := newCollector(from, 1<<10, nil)
	heard := listen("said")
	c.output = heard
	u.add(c)
	if _, err := write.WriteString("said"); err != nil {
		t.Fatal(err)
	}
	<-heard.heard
	write.Close()
	u.remove(c)
	c.finish(time.Minute)
	eventually(t, "the looks end", func() bool {
		u.mu.Lock()
		defer u.mu.Unlock()
		return !u.looking
	})
	// Beside many others it is given more time, never more than the most.
	u.looking = true // as if it did
	begun := time.Now()
	for range 100 {
		u.add(newCollector(outlet{-1}, 0, nil))
	}
	if due := u.due(begun.Add(unreadMost - unreadLook)); len(due) != 0 {
		t.Errorf("%d are due too early", len(due))
	}
	if due := u.due(time.Now().Add(unreadMost)); len(due) != 100 {
		t.Errorf("%d are due, of 100", len(due))
	}
}
