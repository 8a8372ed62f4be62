package embedded

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// On a full disk deliveries are accepted until the reserve is used up, then
// refused; when there is room again all goes on, and nothing accepted is lost.
func TestAFullDisk(t *testing.T) {
	directory := t.TempDir()
	if err := unix.Mount("none", directory, "tmpfs", 0, "size=48m"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("mount a tmpfs: %v", err)
		}
		t.Skipf("NOT TESTED here: mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(directory, unix.MNT_DETACH) })
	synctest.Test(t, func(t *testing.T) { diskFills(t, directory) })
}

func diskFills(t *testing.T, directory string) {
	b := newBed(t, &hook.Hook{ID: "build", Keep: hook.Keep{Runs: 1_000_000, Age: time.Hour * 1000}})
	o := b.options(filepath.Join(directory, "data"))
	o.Reserve = 2 << 20
	e := b.open(o)
	time.Sleep(time.Minute) // the reserve is filled
	if s := e.Status(); s.Reserve < s.Wanted {
		t.Fatalf("the reserve has %d of %d bytes", s.Reserve, s.Wanted)
	}
	filler := fillDisk(t, directory)
	var accepted []string
	for {
		s, id := submissionOf("build", "")
		_, err := e.Submit(t.Context(), s)
		if errors.Is(err, engine.ErrUnavailable) {
			break
		}
		if err != nil {
			t.Fatalf("after %d: %v", len(accepted), err)
		}
		if accepted = append(accepted, id); len(accepted) > 50_000 {
			t.Fatal("it goes on for ever")
		}
	}
	if len(accepted) < 1000 {
		t.Errorf("%d deliveries were accepted in a reserve of 2 MiB, want 1000 at least", len(accepted))
	}
	if s := e.Status(); s.Accepting || !strings.Contains(s.Problem, "the disk is full") {
		t.Errorf("the status is %+v", s)
	}
	time.Sleep(time.Minute)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * lastRepair)
	if s := e.Status(); !s.Accepting {
		t.Errorf("there is room again, but the status is %+v", s)
	}
	b.submit(e, "build", "")
	records, err := e.Await(t.Context(), accepted...)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if r.State != run.Succeeded {
			t.Errorf("an accepted run is %s: %s", r.State, r.Reason)
		}
	}
	if err := e.Stop(context.Background(), time.Minute); err != nil {
		t.Error(err)
	}
}

// fillDisk writes a file until no byte is free.
func fillDisk(t *testing.T, directory string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(directory, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, unix.ENOSPC) || errors.Is(err, io.ErrShortWrite) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return f.Name()
}
