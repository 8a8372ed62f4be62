package embedded

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pawlhq/pawl/internal/hook"
)

// What is kept of runs that are remembered stays, ended or not; that of all
// others goes, however many they are.
func TestWhatIsKeptOfForgottenRunsGoes(t *testing.T) {
	directory := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "build"}, &hook.Hook{ID: "waits"})
		e := b.open(b.options(directory))
		if err := e.Pause(t.Context(), "waits", "for the test"); err != nil {
			t.Fatal(err)
		}
		known := []string{b.submit(e, "build", ""), b.submit(e, "waits", "")}
		time.Sleep(2 * time.Second)
		if err := e.Stop(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		var unknown, gone []string
		for range 2*sweepStep + 1 {
			unknown = append(unknown, newID())
		}
		o := b.options(directory)
		o.Kept = func() []string { return slices.Concat(known, unknown) }
		o.Forgotten = func(ids []string) { gone = append(gone, ids...) }
		e = b.open(o)
		synctest.Wait()
		if !slices.Equal(gone, unknown) {
			t.Errorf("of %d runs that are not remembered %d went", len(unknown), len(gone))
		}
		if err := e.Stop(context.Background(), 0); err != nil {
			t.Fatal(err)
		}
	})
}

// A journal that holds no run may be the wrong one.
func TestAnEmptyJournalSweepsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		o := b.options("")
		o.Memory = true
		o.Kept = func() []string { return []string{newID()} }
		o.Forgotten = func(ids []string) { t.Errorf("%v went", ids) }
		b.open(o)
		synctest.Wait()
		if !strings.Contains(b.logged(), "holds no run") {
			t.Errorf("nothing is told:\n%s", b.logged())
		}
	})
}
