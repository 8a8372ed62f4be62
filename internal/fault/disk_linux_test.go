//go:build e2e

package fault

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// diskHooks: scripts that go on while the disk is full, runs that wait while it
// is, runs that begin then, and a script that fills it.
const diskHooks = "- id: going" + values +
	"- id: line" + values + "  queue: {max-concurrent: 1}\n" +
	"- id: quick" + values + "  queue: {key: [{source: url, name: key}]}\n" +
	"- id: filler" + values

// disks are the small ones that a data directory lies on.
var disks = map[string]func(t *testing.T, dir string){
	"tmpfs": func(t *testing.T, dir string) {
		t.Helper()
		if err := unix.Mount("none", dir, "tmpfs", 0, "size=64m"); err != nil {
			unable(t, "mount a tmpfs: %v", err)
		}
		unmountAtEnd(t, dir)
	},
	"ext4": func(t *testing.T, dir string) { mountImage(t, image(t), dir) },
}

// image makes a file system of 64 MiB in a file.
func image(t *testing.T, options ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "image")
	tool(t, "truncate", "-s", "64M", file)
	tool(t, "mkfs.ext4", append([]string{"-q", "-m", "0", file}, options...)...)
	return file
}

func mountImage(t *testing.T, image, dir string) {
	t.Helper()
	tool(t, "mount", "-o", "loop,errors=continue", image, dir)
	unmountAtEnd(t, dir)
}

// unmountAtEnd takes a disk away when nothing uses it any more. Pawl has ended by
// then; what its scripts left may take a moment.
func unmountAtEnd(t *testing.T, dir string) {
	t.Cleanup(func() {
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			err := unix.Unmount(dir, 0)
			if err == nil {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("unmount %s: %v", dir, err)
				_ = unix.Unmount(dir, unix.MNT_DETACH)
				return
			}
		}
	})
}

// unable leaves out what cannot be tested on this machine. In CI, where
// everything must be tested, it fails.
func unable(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// tool runs a program that must be there and end well.
func tool(t *testing.T, name string, args ...string) {
	t.Helper()
	if said, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		unable(t, "%s %v: %v: %s", name, args, err, said)
	}
}

// fill writes until no byte is free, and goes on whenever some is, until it is
// told to end.
func fill(t *testing.T, file string) (full <-chan struct{}, end func()) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	check(t, err)
	told, stop, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = f.Close() }()
		block, once := make([]byte, 1<<16), told
		for size := len(block); ; {
			_, err := f.Write(block[:size])
			switch {
			case err == nil:
				size = min(2*size, len(block))
				continue
			case !errors.Is(err, unix.ENOSPC):
				t.Errorf("fill the disk: %v", err)
				return
			case size > 1:
				size /= 2
				continue
			}
			if once != nil {
				close(once)
				once = nil
			}
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond): // who else frees some is beaten to it
			}
		}
	}()
	return told, func() {
		close(stop)
		<-done
	}
}
