package delivery

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

func TestReadBody(t *testing.T) {
	large := strings.Repeat("0123456789", 50_000)
	broken := errors.New("broken pipe")
	tests := []struct {
		name          string
		body          io.Reader
		length        int64
		max, inflight int64
		want          string
		err           error
	}{
		{"empty", strings.NewReader(""), 0, 10, 10, "", nil},
		{"as announced", strings.NewReader("hello"), 5, 10, 10, "hello", nil},
		{"not announced", strings.NewReader("hello"), -1, 10, 10, "hello", nil},
		{"just fits", strings.NewReader("0123456789"), -1, 10, 10, "0123456789", nil},
		{"byte by byte", iotest.OneByteReader(strings.NewReader(large)), -1, 1 << 20, 1 << 20, large, nil},
		{"data and end at once", iotest.DataErrReader(strings.NewReader(large)), 500_000, 1 << 20, 1 << 20, large, nil},
		{"longer than announced", strings.NewReader("hello"), 2, 10, 10 << 10, "hello", nil},
		{"shorter than announced", strings.NewReader("hel"), 5, 10, 10, "hel", nil}, // net/http says ErrUnexpectedEOF itself
		{"announced too large", strings.NewReader("0123456789a"), 11, 10, 99, "", ErrTooLarge},
		{"too large", strings.NewReader("0123456789a"), -1, 10, 99, "", ErrTooLarge},
		{"too large although announced small", strings.NewReader("0123456789a"), 3, 10, 99, "", ErrTooLarge},
		{"a limit of none", strings.NewReader("a"), -1, 0, 99, "", ErrTooLarge},
		{"no memory left", strings.NewReader("hello"), 5, 10, 4, "", ErrBusy},
		{"no memory left on the way", strings.NewReader(large), 500_000, 1 << 20, 200_000, "", ErrBusy},
		{"cut", io.MultiReader(strings.NewReader("hel"), iotest.ErrReader(io.ErrUnexpectedEOF)), 5, 10, 10, "hel", io.ErrUnexpectedEOF},
		{"broken", iotest.ErrReader(broken), 5, 10, 10, "", broken},
		{"stuck", stuck{}, 5, 10, 10, "", io.ErrNoProgress},
		{"limited by net/http", http.MaxBytesReader(nil, io.NopCloser(strings.NewReader("hello")), 3), -1, 10, 10, "", ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			budget := NewBudget(tt.inflight)
			data, release, err := ReadBody(tt.body, tt.length, tt.max, budget)
			if string(data) != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("ReadBody = %.20q (%d bytes), %v; want %.20q, %v", data, len(data), err, tt.want, tt.err)
			}
			if used := budget.used.Load(); used < int64(len(data)) || used > tt.inflight {
				t.Errorf("%d bytes are taken for %d", used, len(data))
			}
			release()
			release()
			if used := budget.used.Load(); used != 0 {
				t.Errorf("%d bytes are taken after release", used)
			}
		})
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// A sender that announces much and sends nothing, or little, must not hold
// others' memory.
func TestReadBodyTakesMemoryAsItComes(t *testing.T) {
	const size = 1 << 20
	for _, announced := range []int64{-1, 10, size, 32 << 20} {
		budget := NewBudget(256 << 20)
		came, most := int64(0), int64(0)
		body := readerFunc(func(p []byte) (int, error) {
			used := budget.used.Load()
			if came == 0 && used != 0 {
				t.Errorf("announced %d: %d bytes are taken before any came", announced, used)
			}
			if used > max(4<<10, 2*came) {
				t.Errorf("announced %d: %d bytes are taken when %d came", announced, used, came)
			}
			if most = max(most, used); came == size {
				return 0, io.EOF
			}
			n := min(len(p), 1000, int(size-came))
			came += int64(n)
			return n, nil
		})
		data, release, err := ReadBody(body, announced, 32<<20, budget)
		if err != nil || len(data) != size || most < size {
			t.Errorf("announced %d: %d bytes, %v; at most %d were taken", announced, len(data), err, most)
		}
		if used := budget.used.Load(); used != int64(cap(data)) {
			t.Errorf("announced %d: %d bytes are taken for %d", announced, used, cap(data))
		}
		release()
	}
}

// Many connections that are slow to send leave room for others.
func TestReadBodyOfSlowSenders(t *testing.T) {
	const max, senders = 32 << 20, 4096
	budget := NewBudget(256 << 20)
	var holdAll func(left int)
	holdAll = func(left int) {
		if left == 0 {
			data, release, err := ReadBody(bytes.NewReader(make([]byte, max)), max, max, budget)
			if err != nil || len(data) != max {
				t.Errorf("beside %d slow senders: %d bytes, %v", senders, len(data), err)
			}
			release()
			return
		}
		reads := 0
		slow := readerFunc(func(p []byte) (int, error) {
			if reads++; reads == 2 {
				holdAll(left - 1) // while this one has sent a byte, and no end
				return 0, io.ErrUnexpectedEOF
			}
			return copy(p, "a"), nil
		})
		_, release, _ := ReadBody(slow, max, max, budget)
		release()
	}
	holdAll(senders)
	if used := budget.used.Load(); used != 0 {
		t.Errorf("%d bytes are taken in the end", used)
	}
}

// A few large bodies leave room for small ones, however long they hold theirs.
func TestLargeBodiesLeaveRoomForSmallOnes(t *testing.T) {
	const most = 8 << 20
	budget := NewBudget(4 * most)
	taken, busy := 0, false
	for range 8 {
		_, release, err := ReadBody(bytes.NewReader(make([]byte, most)), most, most, budget)
		defer release()
		if busy = errors.Is(err, ErrBusy); busy {
			break
		}
		taken++
	}
	if !busy || taken != 3 || !budget.Scarce() {
		t.Errorf("%d large bodies were taken, busy %v, scarce %v; want 3 of 4", taken, busy, budget.Scarce())
	}
	for range 8 {
		_, release, err := ReadBody(bytes.NewReader(make([]byte, smallBody)), smallBody, most, budget)
		if err != nil {
			t.Errorf("a small one: %v", err)
		}
		defer release()
	}
	// The largest that is taken at all has its place where nothing else is held.
	alone := NewBudget(most)
	if _, _, err := ReadBody(bytes.NewReader(make([]byte, most)), most, most, alone); err != nil {
		t.Errorf("alone: %v", err)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestReadBodyWithoutBudget(t *testing.T) {
	data, release, err := ReadBody(strings.NewReader("hello"), 5, 10, nil)
	if string(data) != "hello" || err != nil {
		t.Errorf("%q, %v", data, err)
	}
	release()
}

// A body that net/http sees cut is refused with what came of it.
func TestReadBodyOfACutRequest(t *testing.T) {
	request := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello"
	result := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		data, release, err := ReadBody(r.Body, r.ContentLength, 100, nil)
		release()
		if string(data) != "hello" {
			t.Errorf("data %q", data)
		}
		result <- err
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := <-result; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
}

func TestBudgetIsNeverExceeded(t *testing.T) {
	budget := NewBudget(100)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 1000 {
				if budget.acquire(30, 0) {
					budget.release(30)
				}
			}
		})
	}
	group.Wait()
	if budget.used.Load() != 0 || !budget.acquire(100, 0) || budget.acquire(1, 0) {
		t.Errorf("%d bytes are taken", budget.used.Load())
	}
}

func BenchmarkReadBody(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 1<<20)
	budget := NewBudget(1 << 30)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		_, release, err := ReadBody(bytes.NewReader(body), int64(len(body)), 32<<20, budget)
		if err != nil {
			b.Fatal(err)
		}
		release()
	}
}
