package runner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/process"
	"github.com/pawlhq/pawl/internal/run"
)

func TestWhatAScriptLeavesStays(t *testing.T) {
	s := newScene(t, "leave", nil)
	r := attempt("h")
	outcome := s.Run(t.Context(), r, nil)
	if outcome.State() != run.Succeeded {
		t.Fatalf("%s: %s", outcome.State(), outcome.Output)
	}
	want := []string{r.ID, r.ID + "/artifacts/sbom.json", r.ID + "/summary.md"}
	if left := s.left(t); !slices.Equal(left, want) {
		t.Errorf("there is %v, want %v", left, want)
	}
	if want := int64(len("{}# done")); outcome.Artifacts != want {
		t.Errorf("%d bytes of artifacts, want %d", outcome.Artifacts, want)
	}
	if want := []run.Result{{Name: "digest", Value: "x"}, {Name: "url", Value: "a=b"}}; !slices.Equal(outcome.Results, want) {
		t.Errorf("results %v, want %v", outcome.Results, want)
	}
	if !strings.Contains(s.log.String(), "bad line") {
		t.Errorf("the log does not tell of the bad line: %s", s.log)
	}
}

func TestARunThatLeavesNothingLeavesNothing(t *testing.T) {
	for _, part := range []string{"tell", "fail"} {
		s := newScene(t, part, nil)
		for range 3 {
			s.Run(t.Context(), attempt("h"), nil)
		}
		if left := s.left(t); left != nil {
			t.Errorf("%s left %v", part, left)
		}
		if entries, err := os.ReadDir(s.directory); err != nil || len(entries) != 2 {
			t.Errorf("%v instead of one slot and the table; %v", entries, err)
		}
	}
}

func TestASlotServesOneRunAfterTheOther(t *testing.T) {
	s := newScene(t, "tell", nil)
	s.Run(t.Context(), attempt("h"), nil)
	next := newScene(t, "leave", nil)
	next.Runner.slots = newSlots(s.directory, nil)
	next.directory = s.directory
	for range 2 {
		r := attempt("h")
		if outcome := next.Run(t.Context(), r, nil); outcome.State() != run.Succeeded {
			t.Fatal(outcome.Reason)
		}
		if left := next.left(t); !slices.Contains(left, r.ID+"/summary.md") {
			t.Errorf("there is %v, and not what %s left", left, r.ID)
		}
	}
	slots, err := filepath.Glob(filepath.Join(s.directory, slotPrefix+"*"))
	if err != nil || len(slots) != 0 {
		t.Errorf("slots %v are left, of which all were renamed; %v", slots, err)
	}
}

func TestAFurtherAttemptHasTheRunsDirectory(t *testing.T) {
	s := newScene(t, "leave", nil)
	r := attempt("h")
	s.Run(t.Context(), r, nil)
	before, err := os.Stat(filepath.Join(s.directory, r.ID))
	if err != nil {
		t.Fatal(err)
	}
	r.Attempt = 2
	if outcome := s.Run(t.Context(), r, nil); len(outcome.Results) != 2 {
		t.Errorf("results %v, want those of this attempt alone", outcome.Results)
	}
	after, err := os.Stat(filepath.Join(s.directory, r.ID))
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("it is another directory: %v", err)
	}
	// One that cannot start leaves an earlier one's files alone.
	broken := newScene(t, "leave", nil)
	broken.Runner.slots, broken.directory = s.Runner.slots, s.directory
	broken.options.Environment = []string{"=x"}
	r.Attempt = 3
	if outcome := broken.Run(t.Context(), r, nil); outcome.End != run.NotStarted {
		t.Fatalf("it ended as %s", outcome.End)
	}
	if _, err := os.Stat(filepath.Join(s.directory, r.ID, "summary.md")); err != nil {
		t.Error(err)
	}
}

func TestTheTableNamesTheProcess(t *testing.T) {
	dir := t.TempDir()
	written, none := openTable(dir)
	if len(none) != 0 {
		t.Fatalf("a new table has %v", none)
	}
	r := attempt("h")
	want := process.Identity{PID: 4711, Boot: "0f6e7b1c-6a05-4f16-8d8c-8cfa5a5b9a11", From: 12345, To: 1 << 60}
	written.write(2, r.ID, want)
	written.write(0, "no run", want)
	written.write(1, r.ID, process.Identity{Boot: strings.Repeat("x", recordSize)}) // does not fit
	_, records := openTable(dir)
	if len(records) != 1 || records[0] != (record{2, r.ID, want}) {
		t.Errorf("read %+v", records)
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte("00000000-0000-7000-8000-000000000001 1 2 3 boot"))
	f.Add([]byte("../../../../../../../../../etc/passwd 1 2 3 boot"))
	f.Fuzz(func(t *testing.T, line []byte) {
		if r, ok := parseRecord(line); ok && strings.ContainsAny(r.run, "/\\.") {
			t.Errorf("%q names the run %q", line, r.run)
		}
	})
}

func TestWhatACrashLeftGoesToItsRun(t *testing.T) {
	dir := t.TempDir()
	r, other := attempt("h"), attempt("h")
	table, _ := openTable(dir)
	table.write(0, r.ID, process.Identity{PID: 1 << 22, Boot: "older"})
	table.write(1, other.ID, process.Identity{PID: 1 << 22, Boot: "older"})
	for _, made := range []string{"slot-0/artifacts", "slot-1/artifacts", "output-123", "probe-123", ".spare-4/artifacts"} {
		if err := os.MkdirAll(filepath.Join(dir, made), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "slot-0/artifacts/half"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := scene{directory: dir}
	old := newSlots(dir, func(err error) { t.Error(err) })
	if left := s.left(t); len(left) < 4 {
		t.Errorf("it was touched before it was known to be ours: there is %v", left)
	}
	if first := old.firstOf(func(string) bool { return true }); first != nil {
		t.Errorf("processes %v still run", first)
	}
	if left := s.left(t); !slices.Equal(left, []string{r.ID, r.ID + "/artifacts/half"}) {
		t.Errorf("there is %v", left)
	}
}

func TestAScriptRunsThoughItGetsNoDirectory(t *testing.T) {
	s := newScene(t, "tell", nil)
	if err := os.RemoveAll(s.directory); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.directory, nil, 0o600); err != nil { // nothing can be made below a file
		t.Fatal(err)
	}
	if outcome := s.Run(t.Context(), attempt("h"), nil); outcome.State() != run.Succeeded {
		t.Errorf("%s: %s", outcome.State(), outcome.Reason)
	}
	if !strings.Contains(s.log.String(), "without PAWL_ARTIFACTS") {
		t.Errorf("the log: %s", s.log)
	}
}

func TestTheDirectoryOfRunsIsMadeAgain(t *testing.T) {
	s := newScene(t, "leave", nil)
	for range 2 {
		if err := os.RemoveAll(s.directory); err != nil {
			t.Fatal(err)
		}
		r := attempt("h")
		s.Run(t.Context(), r, nil)
		if _, err := os.Stat(filepath.Join(s.directory, r.ID, "summary.md")); err != nil {
			t.Error(err)
		}
	}
}

func TestWithoutADirectory(t *testing.T) {
	s := newScene(t, "pawl", nil)
	s.slots = newSlots("", nil)
	outcome := s.Run(t.Context(), attempt("h"), nil)
	if outcome.State() != run.Succeeded || strings.Contains(string(outcome.Output), "PAWL_ARTIFACTS") {
		t.Errorf("%s: %s", outcome.Reason, outcome.Output)
	}
}

func TestASlotOfARunThatLeftProcessesIsNotUsedAgain(t *testing.T) {
	s := newSlots(t.TempDir(), nil)
	first, err := s.take(attempt("h").ID, 1)
	if err != nil {
		t.Fatal(err)
	}
	daemon, err := os.OpenRoot(first.artifacts())
	if err != nil {
		t.Fatal(err)
	}
	defer daemon.Close()
	if err := s.give(first, attempt("h").ID, false, true); err != nil {
		t.Fatal(err)
	}
	second, err := s.take(attempt("h").ID, 1)
	if err != nil {
		t.Fatal(err)
	}
	if late, err := daemon.Create("late"); err == nil {
		_ = late.Close()
	}
	if found := names(second.artifacts(), 1); len(found) != 0 {
		t.Errorf("the second run found %v among its artifacts", found)
	}
}

// A slot in which something lies that its own user may not enter is made empty
// all the same: else whoever gets it has no place, time and again.
func TestASlotThatMayNotBeEntered(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may enter anything")
	}
	s := &slot{path: filepath.Join(t.TempDir(), "slot-0"), made: true}
	closed := filepath.Join(s.path, "artifacts", "closed")
	if err := os.MkdirAll(filepath.Join(closed, "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(closed, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.prepare(); err != nil {
		t.Fatal(err)
	}
	if left := names(filepath.Join(s.path, "artifacts"), 1); len(left) != 0 {
		t.Errorf("%v stays", left)
	}
}
