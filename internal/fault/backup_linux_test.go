package fault

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// TestABackupUnderLoadHoldsAllThatWasAnsweredBefore, and Pawl starts from it
// where it left off.
func TestABackupUnderLoadHoldsAllThatWasAnsweredBefore(t *testing.T) {
	t.Parallel()
	hooks := "- id: h" + values + "  queue: {key: [{source: url, name: key}]}\n"
	p := newPawl(t, "", hooks)
	p.start()
	copies := newPawl(t, "", hooks)
	check(t, os.MkdirAll(copies.data, 0o700))
	copied := filepath.Join(copies.data, "journal.db")

	var number atomic.Int64
	var enough atomic.Bool
	sent := make(chan answered)
	const senders = 4
	for i := range senders {
		go func() {
			for !enough.Load() {
				n := int(number.Add(1))
				r, err := p.post(t.Context(), "h", fmt.Sprint("k", i), n, "0.02", strings.Repeat(fmt.Sprint(n, " "), 500))
				if err != nil || !r.accepted() {
					t.Errorf("delivery %d during the backup: %+v, %v", n, r, err)
					break
				}
				sent <- answered{"h", n, r}
			}
			sent <- answered{}
		}()
	}
	var before, after []answered
	backup := make(chan error, 1)
	for gone := 0; gone < senders; {
		select {
		case a := <-sent:
			switch {
			case a.hook == "":
				gone++
			case len(before) < 300:
				before = append(before, a)
				if len(before) == 300 {
					go func() {
						_, err := p.ask("backup", "-data-dir", p.data, copied)
						backup <- err
					}()
				}
			default:
				after = append(after, a)
			}
		case err := <-backup:
			check(t, err)
			enough.Store(true)
		}
	}
	p.kill()
	copies.start()
	if copies.ended() {
		t.Fatalf("it does not start from the copy: %s", copies.log)
	}
	runs := copies.runs()
	for _, a := range before {
		if _, known := runs[a.run]; !known {
			t.Errorf("delivery %d was answered before the backup, and is not in it", a.number)
		}
	}
	copies.await("what waited has run", copies.idle)
	starts := copies.ledger().of("start")
	for _, a := range before {
		if was := runs[a.run]; !was.State.Final() && starts[a.run] == 0 {
			t.Errorf("delivery %d was %s in the backup, and has not run", a.number, was.State)
		}
	}
	for _, complaint := range copies.ledger().complaints() {
		t.Error(complaint)
	}
	t.Logf("%d answered before, %d during the backup; %d runs in it", len(before), len(after), len(runs))
}
