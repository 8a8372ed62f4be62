//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// contender is a program that is measured.
type contender struct {
	name string // as the table calls it
	path string
	args []string
	pawl bool // it takes Pawl's own flags
}

// setup is what a server is started with.
type setup struct {
	hooks     []entry
	directory string   // Pawl's data directory; "": a new one, "none": none
	args      []string // more flags of Pawl's; other programs are not given them
}

// server is a running contender.
type server struct {
	command   *exec.Cmd
	ended     chan struct{} // closed when it has ended and was waited for
	address   netip.AddrPort
	log       string        // the file that holds what it said
	directory string        // Pawl's data directory
	took      time.Duration // from its start to its first answer
	forks     int64         // of the machine, before it began to work
	threads   int           // its own, then
}

// start starts a server and returns when it has answered once.
func (b *bench) start(ctx context.Context, who contender, what setup) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	directory, err := os.MkdirTemp(b.directory, who.name+"-")
	if err != nil {
		return nil, err
	}
	hooks := filepath.Join(directory, "hooks.json")
	if err := writeHooks(hooks, what.hooks); err != nil {
		return nil, err
	}
	s := &server{address: address, log: filepath.Join(directory, "log"), directory: what.directory}
	log, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	args := append([]string{"-hooks", hooks, "-ip", "127.0.0.1", "-port", fmt.Sprint(address.Port())}, who.args...)
	if who.pawl {
		if s.directory == "" {
			s.directory = filepath.Join(directory, "data")
		}
		args = append(append(args, "-data-dir", s.directory), what.args...)
	}
	s.command = exec.CommandContext(ctx, who.path, args...)
	s.command.Stdout, s.command.Stderr = log, log
	began := time.Now()
	if err := s.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", who.name, err)
	}
	s.ended = make(chan struct{})
	go func() {
		_ = s.command.Wait() // it is killed in the end
		close(s.ended)
	}()
	if err := s.firstAnswer(ctx); err != nil {
		said, _ := os.ReadFile(s.log)
		return nil, errors.Join(fmt.Errorf("%s did not answer: %w; it said: %s", who.name, err, tail(said)), s.stop())
	}
	s.took = time.Since(began)
	return s, nil
}

func tail(text []byte) []byte { return text[max(0, len(text)-2000):] }

// firstAnswer asks until a request is answered, with whatever status.
func (s *server) firstAnswer(ctx context.Context) error {
	const request = "GET /nothing-here HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
	deadline := time.Now().Add(time.Minute)
	for {
		select {
		case <-s.ended:
			return errors.New("it has ended")
		case <-ctx.Done():
			return context.Cause(ctx)
		default:
		}
		connection, err := net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(s.address))
		if err == nil {
			_ = connection.SetDeadline(deadline)
			if _, err = connection.Write([]byte(request)); err == nil {
				_, err = connection.Read(make([]byte, 1))
			}
			connection.Close()
		}
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return err
		}
		time.Sleep(200 * time.Microsecond) // a start is told in milliseconds
	}
}

// stop kills a server and all that it started.
func (s *server) stop() error {
	_ = s.command.Process.Kill() // it may have ended
	<-s.ended
	return endOrphans()
}

func (s *server) pid() int { return s.command.Process.Pid }

// settle waits until a server that has started has nothing to do any more:
// neither its CPU time nor its directory grows. Pawl fills its journal's
// reserve then.
func (s *server) settle(ctx context.Context) error {
	const still = 4 // times in a row, a tenth of a second apart
	var lastTime time.Duration
	var lastSize int64
	for same := 0; same < still; {
		used, err := processor(s.pid())
		if err != nil {
			return err
		}
		size := sizeOf(s.directory)
		if same++; used != lastTime || size != lastSize {
			same = 0
		}
		lastTime, lastSize = used, size
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	var err error
	if s.threads, err = threads(s.pid()); err != nil {
		return err
	}
	s.forks, err = forks()
	return err
}

// idle waits until a server has run so many scripts since it settled and none
// is left, and gives the moment at which the last ended, and how many scripts
// never came: a server may lose some and say nothing.
//
// Nothing that the scripts do may tell, for that would cost; and what the
// servers themselves say differs. So the kernel is asked: the machine has
// started so many processes, and for quiet on end the server had no child. A
// server that starts no further process for patient has lost the rest.
func (s *server) idle(ctx context.Context, scripts int) (last time.Time, lost int, err error) {
	const quiet, patient, every = 200 * time.Millisecond, 3 * time.Second, 10 * time.Millisecond
	busy, moved, before := time.Now(), time.Now(), 0
	for {
		if err := pause(ctx, every); err != nil {
			return last, 0, err
		}
		now := time.Now()
		count, err := s.started()
		if err != nil {
			return last, 0, err
		}
		if count > before {
			before, moved = count, now
		}
		if count >= scripts || now.Sub(moved) > quiet { // to look at children costs as well
			running, err := children(s.pid(), true)
			if err != nil {
				return last, 0, err
			}
			switch {
			case len(running) == 0 && count >= scripts && now.Sub(busy) > quiet:
				return busy, 0, nil
			case len(running) == 0 && now.Sub(moved) > patient:
				return moved, max(0, scripts-count), nil
			}
			if len(running) == 0 {
				continue
			}
		}
		busy = now
	}
}

// started counts the processes that the machine has started since the server
// settled, the server's own threads left out.
func (s *server) started() (int, error) {
	count, err := forks()
	if err != nil {
		return 0, err
	}
	own, err := threads(s.pid())
	if err != nil {
		return 0, err
	}
	return int(count-s.forks) - max(0, own-s.threads), nil
}

// sizeOf gives the bytes that the files below a directory take on the disk.
func sizeOf(directory string) int64 {
	var total int64
	_ = filepath.WalkDir(directory, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // what goes away while it is looked at counts nothing
		}
		if info, err := entry.Info(); err == nil {
			if stat, ok := info.Sys().(*syscall.Stat_t); ok {
				total += stat.Blocks * 512
			}
		}
		return nil
	})
	return total
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, wait time.Duration) error {
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// freeAddress finds a port of the loopback that nobody listens on.
func freeAddress() (netip.AddrPort, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return netip.ParseAddrPort(listener.Addr().String())
}
