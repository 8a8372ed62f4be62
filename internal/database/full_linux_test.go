package database

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk is a file system of 64 MiB, and what a reserve on it is good for.
type smallDisk struct {
	mount   func(t *testing.T, dir string)
	reserve int64
	commits int // of 300 bytes each, at least
}

func smallDisks() map[string]smallDisk {
	return map[string]smallDisk{
		"tmpfs": {mountTmpfs, 2 << 20, 3000},
		"ext4": {func(t *testing.T, dir string) {
			image := filepath.Join(t.TempDir(), "image")
			command(t, "truncate", "-s", "64M", image)
			command(t, "mkfs.ext4", "-q", "-m", "0", image)
			mountImage(t, image, dir)
		}, 1 << 20, 1500},
	}
}

func mountTmpfs(t *testing.T, dir string) {
	t.Helper()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=64m"); err != nil {
		unable(t, "mount a tmpfs: %v", err)
	}
	unmountAtEnd(t, dir)
}

func mountImage(t *testing.T, image, dir string) {
	t.Helper()
	command(t, "mount", "-o", "loop", image, dir)
	unmountAtEnd(t, dir)
}

func unmountAtEnd(t *testing.T, dir string) {
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
			_ = unix.Unmount(dir, unix.MNT_DETACH)
		}
	})
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if said, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		unable(t, "%s %v: %v: %s", name, args, err, said)
	}
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

// fillDisk writes until no byte is free.
func fillDisk(t *testing.T, dir string) (filler string) {
	t.Helper()
	filler = filepath.Join(dir, "filler")
	f, err := os.OpenFile(filler, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, unix.ENOSPC) {
			t.Fatalf("fill the disk: %v", err)
		}
	}
	_ = f.Sync()
	_ = f.Close()
	return filler
}

// commitUntilFull commits one number after the other, as an engine does, until
// there is no room.
func commitUntilFull(t *testing.T, d *DB, first, most int) (next int) {
	t.Helper()
	body := make([]byte, 300)
	for next = first; next < first+most; next++ {
		if err := insert(d, next, next, body); errors.Is(err, ErrFull) {
			return next
		} else if err != nil {
			t.Fatalf("commit %d: %v", next, err)
		}
		d.Maintain(next%10 == 0)
	}
	return next
}

// TestCommitsGoOnWhenTheDiskIsFull: thousands of commits with no byte free,
// then ErrFull, and all is well again when there is room.
func TestCommitsGoOnWhenTheDiskIsFull(t *testing.T) {
	for name, disk := range smallDisks() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			disk.mount(t, dir)
			o := testOptions(t, dir)
			o.Reserve = disk.reserve
			d := open(t, o)
			mustInsert(t, d, 1, 1000)
			fillReserve(t, d)

			filler := fillDisk(t, dir)
			next := commitUntilFull(t, d, 1001, 100000)
			t.Logf("%d commits on a full disk", next-1001)
			if got := next - 1001; got < disk.commits || got == 100000 {
				t.Errorf("%d commits on a full disk, want at least %d, and an end", got, disk.commits)
			}
			for range 3 {
				if err := insert(d, next, next, make([]byte, 10000)); !errors.Is(err, ErrFull) {
					t.Fatalf("error %v, want ErrFull", err)
				}
				d.Maintain(true)
			}
			mustCount(t, d, next-1)
			if s := d.Stats(); s.Reserve > s.Wanted/2 {
				t.Errorf("a reserve of %d bytes is told when it is used up", s.Reserve)
			}

			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
			fillReserve(t, d)
			mustInsert(t, d, next, next+100)
			mustCount(t, d, next+100)
			sound(t, d)
			if err := d.Close(); err != nil {
				t.Error(err)
			}
			again := open(t, o)
			mustCount(t, again, next+100)
			_ = again.Close()
		})
	}
}

// TestCommitsGoOnBesideWhoFillsTheDisk: the disk becomes full at any moment,
// while the file grows.
func TestCommitsGoOnBesideWhoFillsTheDisk(t *testing.T) {
	for name, disk := range smallDisks() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			disk.mount(t, dir)
			o := testOptions(t, dir)
			o.Reserve = disk.reserve
			d := open(t, o)
			fillReserve(t, d)
			f, err := os.OpenFile(filepath.Join(dir, "filler"), os.O_WRONLY|os.O_CREATE, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			ended := make(chan error)
			go func() {
				_, err := io.Copy(f, zeros{})
				ended <- err
			}()
			body := make([]byte, 2000)
			full := 0
			for next := 1; ; next++ {
				if err := insert(d, next, next, body); err != nil {
					t.Fatalf("commit %d (%d on a full disk): %v; %+v", next, full, err, d.Stats())
				}
				d.Maintain(false)
				select {
				case err := <-ended:
					if !errors.Is(err, unix.ENOSPC) {
						t.Fatal(err)
					}
					full = 1
				default:
				}
				if full > 0 {
					full++
				}
				if full == int(disk.reserve/6000) {
					mustCount(t, d, next)
					return
				}
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return min(len(b), 4096), nil }

// TestADiskThatTurnsReadOnly: as ext4 makes itself when it finds an error.
func TestADiskThatTurnsReadOnly(t *testing.T) {
	dir, image := t.TempDir(), filepath.Join(t.TempDir(), "image")
	command(t, "truncate", "-s", "64M", image)
	command(t, "mkfs.ext4", "-q", image)
	t.Run("turns", func(t *testing.T) {
		mountImage(t, image, dir)
		d := openIn(t, dir)
		mustInsert(t, d, 1, 100)
		if err := unix.Mount("", dir, "", unix.MS_REMOUNT, "abort"); err != nil {
			unable(t, "have a file system fail: %v", err)
		}
		if err := insert(d, 101, 200, nil); !errors.Is(err, ErrFailed) {
			t.Fatalf("error %v, want ErrFailed", err)
		}
		mustCount(t, d, 100) // history can be read
		for range 2 {
			if err := d.Reopen(); !errors.Is(err, ErrFailed) {
				t.Fatalf("error %v, want ErrFailed", err)
			}
		}
		_ = d.Close()
	})
	t.Run("is mended", func(t *testing.T) {
		mountImage(t, image, dir)
		d := openIn(t, dir)
		if n := count(t, d); n != 100 && n != 200 {
			t.Errorf("there are %d numbers", n)
		}
		mustInsert(t, d, 201, 201)
		sound(t, d)
		_ = d.Close()
	})
}
