package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/run"
)

func TestWhatAScriptLeavesStays(t *testing.T) {
	s := newScene(t, "leave", nil)
	r := attempt("h")
	if outcome := s.Run(t.Context(), r, nil); outcome.State() != run.Succeeded {
		t.Fatalf("%s: %s", outcome.State(), outcome.Output)
	}
	for _, name := range []string{"artifacts/sbom.json", "summary.md", "output"} {
		if _, err := os.Stat(filepath.Join(s.directory, r.ID, name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(s.directory, r.ID, "pid")); err == nil {
		t.Error("the pid file is still there")
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
		if spares, err := os.ReadDir(s.directory); err != nil || len(spares) != 1 {
			t.Errorf("%v instead of one spare directory; %v", spares, err)
		}
	}
}

func TestASpareDirectoryServesTheNextRun(t *testing.T) {
	s := newScene(t, "tell", nil)
	s.Run(t.Context(), attempt("h"), nil)
	next := newScene(t, "leave", nil)
	next.Runner.directories = newDirectories(s.directory)
	r := attempt("h")
	if outcome := next.Run(t.Context(), r, nil); outcome.State() != run.Succeeded {
		t.Fatal(outcome.Reason)
	}
	entries, err := os.ReadDir(s.directory)
	if err != nil || len(entries) != 1 || entries[0].Name() != r.ID {
		t.Errorf("there are %v, want the directory of %s alone; %v", entries, r.ID, err)
	}
}

func TestThePIDFileNamesTheProcess(t *testing.T) {
	s := newScene(t, "pid", nil)
	if outcome := s.Run(t.Context(), attempt("h"), nil); string(outcome.Output) != "true <nil>\n" {
		t.Errorf("the script found %q", outcome.Output)
	}
}

func TestOldDirectoriesGo(t *testing.T) {
	s := newScene(t, "leave", nil)
	for i := range keptDirectories + 5 {
		if err := os.Mkdir(filepath.Join(s.directory, old(i)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	running, crashed := filepath.Join(s.directory, old(1)), filepath.Join(s.directory, old(2))
	for path, text := range map[string]string{running: identity(os.Getpid()), crashed: fmt.Sprintf("%d\n1\nan older boot\n", os.Getpid())} {
		if err := os.WriteFile(filepath.Join(path, "pid"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.Run(t.Context(), attempt("h"), nil)
	left, err := os.ReadDir(s.directory)
	if err != nil || len(left) != keptDirectories+1 {
		t.Errorf("%d directories are left, want %d and the one that still runs; %v", len(left), keptDirectories, err)
	}
	if _, err := os.Stat(running); err != nil {
		t.Errorf("that of a running script: %v", err)
	}
	if _, err := os.Stat(crashed); err == nil {
		t.Error("that of a run before a crash is still there")
	}
}

// old is the name of a directory of long ago.
func old(i int) string { return fmt.Sprintf("00000000-0000-7000-8000-%012d", i) }

func TestWhatAnEarlierPawlLeftOpenGoes(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"output-123", "probe-123", old(1)} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	newDirectories(dir)
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 || left[0].Name() != old(1) {
		t.Errorf("there are %v; %v", left, err)
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
	if err := os.RemoveAll(s.directory); err != nil {
		t.Fatal(err)
	}
	r := attempt("h")
	s.Run(t.Context(), r, nil)
	if _, err := os.Stat(filepath.Join(s.directory, r.ID, "summary.md")); err != nil {
		t.Error(err)
	}
}

func TestADaemonInOneRunsArtifactsIsNotInTheNext(t *testing.T) {
	d := newDirectories(t.TempDir())
	first, err := d.take(old(1))
	if err != nil {
		t.Fatal(err)
	}
	daemon, err := os.OpenRoot(first.artifacts())
	if err != nil {
		t.Fatal(err)
	}
	defer daemon.Close()
	d.give(first)
	if early, err := daemon.Create("early"); err == nil {
		_ = early.Close()
	}
	second, err := d.take(old(2))
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

func TestWithoutADirectory(t *testing.T) {
	s := newScene(t, "tell", nil)
	s.directories = newDirectories("")
	if outcome := s.Run(t.Context(), attempt("h"), nil); outcome.State() != run.Succeeded {
		t.Errorf("%s: %s", outcome.Reason, outcome.Output)
	}
}
