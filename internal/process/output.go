package process

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

const (
	// leftoverRead is how long the output pipe is read after the first process
	// has ended while something else still holds it. What the first process
	// printed is in the pipe by then; the second is for the children that it
	// put in the background and that are about to end too.
	leftoverRead = time.Second

	readBuffer  = 32 << 10 // half of a Linux pipe: few wake-ups, little memory
	drainBuffer = 4 << 10  // for what is thrown away

	// pipeCapacity is the most that a pipe which nobody resized holds; it bounds
	// the last read after the deadline.
	pipeCapacity = 64 << 10
)

// firstRead is for the first read: most scripts print little or nothing.
const firstRead = 512

// collector reads one pipe to its end: it keeps head and tail, and forwards
// everything to a writer and to taps.
//
// Nobody reads at first: most scripts are done before it matters, and then what
// they printed is read at once, at their end. To watch a pipe that soon closes
// takes a goroutine and a tenth of Pawl's own work for a run.
type collector struct {
	outlet outlet
	since  time.Time
	done   chan struct{} // closed when no more is kept or forwarded

	forwarding sync.Mutex // held while output is written to

	mu     sync.Mutex
	begun  bool     // somebody reads
	pipe   *os.File // the same as outlet, once a goroutine does
	keep   keeper
	output io.Writer // nil once it failed
	taps   []*Tap
	held   bool // the pipe was still held when we gave up on it
	closed bool
}

func newCollector(pipe outlet, limit int, output io.Writer) *collector {
	return &collector{outlet: pipe, since: time.Now(), keep: keeper{limit: max(limit, 0)}, output: output, done: make(chan struct{})}
}

// begin makes a goroutine read from here on, unless somebody does.
func (c *collector) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.begun {
		c.start()
	}
}

// start makes a goroutine read. The caller holds mu.
func (c *collector) start() {
	c.begun = true
	c.pipe = c.outlet.file()
	go c.run()
}

// run reads until the end of the pipe. After finish it goes on as a mere drain,
// so that a leftover can print without being killed for it.
func (c *collector) run() {
	defer c.pipe.Close()
	buffer := make([]byte, firstRead)
	for {
		n, err := c.pipe.Read(buffer)
		open := c.take(buffer[:n])
		if n == firstRead && len(buffer) == firstRead {
			buffer = make([]byte, readBuffer)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			held := c.takeRest(buffer)
			c.close(held)
			break
		}
		if err != nil {
			c.close(false)
			return
		}
		if !open {
			break
		}
	}
	_ = c.pipe.SetReadDeadline(time.Time{})
	buffer = nil
	drain(c.pipe)
}

// readAll reads what a pipe holds that nobody has read yet. It reports whether
// that was all: nothing holds the pipe any more.
func (c *collector) readAll() bool {
	var small [firstRead]byte
	buffer := small[:]
	for left := pipeCapacity; left > 0; {
		n := c.outlet.readNow(buffer)
		if n <= 0 {
			return n == 0
		}
		c.take(buffer[:n])
		left -= n
		if n == firstRead && len(buffer) == firstRead {
			buffer = make([]byte, readBuffer)
		}
	}
	return false // something prints on
}

// drain throws away what a leftover prints, until nobody holds the pipe.
func drain(pipe io.Reader) {
	buffer := make([]byte, drainBuffer)
	for {
		if _, err := pipe.Read(buffer); err != nil {
			return
		}
	}
}

// takeRest takes what is in the pipe at the deadline: when the writer was slow,
// the first process's own output may still wait there. It reports whether
// something still holds the pipe.
func (c *collector) takeRest(buffer []byte) bool {
	_ = c.pipe.SetReadDeadline(time.Time{})
	for left := pipeCapacity; left > 0; {
		n := readWaiting(c.pipe, buffer[:min(left, len(buffer))])
		if n <= 0 {
			return n < 0
		}
		c.take(buffer[:n])
		left -= n
	}
	return true
}

// take keeps and forwards data. It reports whether more is wanted.
func (c *collector) take(data []byte) bool {
	c.forwarding.Lock()
	defer c.forwarding.Unlock()
	output, open := c.note(data)
	if output == nil || len(data) == 0 {
		return open
	}
	if n, err := output.Write(data); err != nil || n < len(data) {
		c.mu.Lock()
		c.output = nil
		c.mu.Unlock()
	}
	return open
}

// note keeps data and hands it to the taps. It gives the writer that wants it
// too, and reports whether anybody wants more.
func (c *collector) note(data []byte) (io.Writer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, false
	}
	c.keep.write(data)
	for _, tap := range c.taps {
		tap.put(data)
	}
	return c.output, true
}

func (c *collector) close(held bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed, c.held = true, held
	for _, tap := range c.taps {
		tap.end()
	}
	c.taps = nil
	close(c.done)
}

// finish returns when the pipe has ended, or after the given time when
// something still holds it. From then on nothing is kept or forwarded. The first
// process must have ended, or have been given up.
func (c *collector) finish(after time.Duration) {
	c.mu.Lock()
	first := !c.begun
	c.begun = true
	c.mu.Unlock()
	if first && c.readAll() {
		c.outlet.close()
		c.close(false)
		return
	}
	c.mu.Lock()
	if first {
		c.start()
	}
	pipe := c.pipe
	c.mu.Unlock()
	select {
	case <-c.done:
		return
	default:
	}
	if pipe.SetReadDeadline(time.Now().Add(after)) == nil {
		<-c.done
		return
	}
	// Either the pipe is closed, or this system's pipes know no deadline
	// (Windows): then the reader learns of the end at its next read.
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-timer.C:
		c.close(true)
		c.forwarding.Lock() // what is being written was taken before
		defer c.forwarding.Unlock()
	}
}

// kept returns what was kept, after finish.
func (c *collector) kept() (output []byte, head int, omitted int64, held bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	output, head = c.keep.bytes()
	return output, head, c.keep.total - int64(len(output)), c.held
}

// keeper keeps the first and the last bytes of what is written to it: up to
// half of limit each, and everything while it fits. Its zero value keeps
// nothing but the count.
type keeper struct {
	limit int
	head  []byte
	tail  []byte // a ring once it is full
	next  int    // where the ring is written next: its oldest byte
	total int64  // bytes written
}

func (k *keeper) write(data []byte) {
	k.total += int64(len(data))
	headRoom := k.limit/2 - len(k.head)
	n := min(headRoom, len(data))
	k.head = append(k.head, data[:n]...)
	data = data[n:]

	size := k.limit - k.limit/2
	if len(data) > size {
		data = data[len(data)-size:]
		k.tail, k.next = k.tail[:0], 0
	}
	n = min(size-len(k.tail), len(data))
	k.tail = append(k.tail, data[:n]...)
	for data = data[n:]; len(data) > 0; data = data[n:] {
		n = copy(k.tail[k.next:], data)
		k.next = (k.next + n) % size
	}
}

// bytes returns head and tail in one, and where the tail begins: there the
// omitted bytes are missing.
func (k *keeper) bytes() ([]byte, int) {
	all := make([]byte, 0, len(k.head)+len(k.tail))
	all = append(all, k.head...)
	all = append(all, k.tail[k.next:]...)
	return append(all, k.tail[:k.next]...), len(k.head)
}
