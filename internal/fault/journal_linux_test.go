package fault

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// damages are what can happen to a journal on its disk.
var damages = map[string]func(t *testing.T, file string){
	"its head is overwritten": func(t *testing.T, file string) {
		overwrite(t, file, 0, 4096)
		check(t, os.Remove(file+"-wal")) // it holds a sound copy of the head
	},
	"pages are overwritten": func(t *testing.T, file string) { overwrite(t, file, 4096, 16*4096) },
	"it is cut off":         func(t *testing.T, file string) { check(t, os.Truncate(file, 3*4096+100)) },
	"it is another file":    func(t *testing.T, file string) { check(t, os.WriteFile(file, []byte("hello\n"), 0o600)) },
}

func overwrite(t *testing.T, file string, from, bytes int64) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	check(t, err)
	defer func() { check(t, f.Close()) }()
	content := make([]byte, bytes)
	_, err = f.ReadAt(content, from)
	check(t, err)
	for i := range content {
		content[i] ^= 0xa5
	}
	_, err = f.WriteAt(content, from)
	check(t, err)
}

// TestADamagedJournalIsRefusedAndSetAside: Pawl says what is wrong and does not
// start; only when it is told to it begins a new journal, and keeps the old one.
func TestADamagedJournalIsRefusedAndSetAside(t *testing.T) {
	t.Parallel()
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPawl(t, "", "- id: h"+values+"  queue: {}\n")
			p.start()
			for number := range 50 {
				p.mustPost("h", "", number, "")
			}
			p.await("all have run", p.idle)
			p.stop()
			journal := filepath.Join(p.data, "journal.db")
			before, err := os.Stat(journal)
			check(t, err)
			damage(t, journal)
			bad, err := os.ReadFile(journal)
			check(t, err)

			p.launch()
			p.await("it ends", p.ended)
			for _, word := range []string{"damaged", "journal.db", "backup", "-data-dir-repair"} {
				if !strings.Contains(p.log.String(), word) {
					t.Errorf("it does not say %q: %s", word, tail(p.log.String(), 5))
				}
			}
			if code := p.cmd.ProcessState.ExitCode(); code != 1 {
				t.Errorf("it exits with %d", code)
			}
			if after, err := os.ReadFile(journal); err != nil || string(after) != string(bad) {
				t.Errorf("it has changed the damaged journal (of %d bytes once): %v", before.Size(), err)
			}

			p.start("-data-dir-repair")
			if p.ended() {
				t.Fatal("told to repair, it does not start")
			}
			p.mustPost("h", "", 100, "")
			p.await("what is delivered then runs", p.idle)
			if n := len(p.runs()); n != 1 {
				t.Errorf("there are %d runs", n)
			}
			kept := 0
			list, err := os.ReadDir(p.data)
			check(t, err)
			for _, e := range list {
				if content, err := os.ReadFile(filepath.Join(p.data, e.Name())); err == nil && string(content) == string(bad) {
					kept++
				}
			}
			if kept != 1 {
				t.Errorf("the damaged journal was not kept: %v", list)
			}
			p.stop()
			p.start("-data-dir-repair") // a sound one stays
			if n := len(p.runs()); n != 1 {
				t.Errorf("there are %d runs after a needless repair", n)
			}
		})
	}
}

// TestASecondPawlInOneDirectoryIsRefused: the first one goes on.
func TestASecondPawlInOneDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	p := newPawl(t, "", "- id: h"+values)
	p.start()
	p.mustPost("h", "", 1, "")
	second := newPawl(t, p.data, "- id: h"+values)
	second.launch()
	second.await("the second ends", second.ended)
	for _, word := range []string{"in use by another process", p.data, "-data-dir"} {
		if !strings.Contains(second.log.String(), word) {
			t.Errorf("it does not say %q: %s", word, second.log)
		}
	}
	p.mustPost("h", "", 2, "")
	p.await("both have run", p.idle)
	if n := len(p.runs()); n != 2 {
		t.Errorf("the first knows of %d runs", n)
	}
	p.kill()
	p.start()
	if n := len(p.runs()); n != 2 {
		t.Errorf("after kill -9 and a start it knows of %d runs", n)
	}
}
