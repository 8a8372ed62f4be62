package runner

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/pawlhq/pawl/internal/hook"
)

// TestLinksThatLieInWait: another user lays links where a script's files are
// written, in a directory that all may write to, and exchanges the files as soon as
// they are there. The script gets what the hook says all the same, and what the
// links lead to stays as it is.
func TestLinksThatLieInWait(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can be two users")
	}
	top, err := os.MkdirTemp("", "links") // t.TempDir's parent is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(top) })
	shared, victim := filepath.Join(top, "shared"), filepath.Join(top, "victim")
	if err := errors.Join(
		os.Chmod(top, 0o755), os.Mkdir(shared, 0o700), os.Chmod(shared, 0o777|os.ModeSticky), os.WriteFile(victim, []byte("precious"), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", shared)
	attacker := exec.Command("/bin/sh", "-c", `
		i=0; while [ $i -lt 500 ]; do ln -s "$1" "FILE$i"; i=$((i + 1)); done
		echo ready
		while :; do for f in FILE*; do [ -L "$f" ] || ln -sf "$1" "$f"; done; done`, "sh", victim)
	attacker.Dir = shared
	attacker.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, Pdeathsig: syscall.SIGKILL}
	out, err := attacker.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := attacker.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = attacker.Process.Kill()
		_ = attacker.Wait()
	}()
	var ready string
	if _, err := fmt.Fscanln(out, &ready); err != nil || ready != "ready" {
		t.Fatalf("the attacker says %q: %v", ready, err)
	}
	s := newScene(t, "file", func(h *hook.Hook) { h.Files = []hook.Argument{payload("ref", "FILE")} })
	for range 50 {
		outcome := s.Run(t.Context(), attempt("h"), nil)
		if got, want := string(outcome.Output), shared+" 600 main"; got != want {
			t.Fatalf("the script saw %q, want %q (%s)", got, want, outcome.Reason)
		}
	}
	info, err := os.Stat(victim)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "precious" || info.Mode().Perm() != 0o644 {
		t.Errorf("what the links lead to is now %q, %v (%v)", text, info.Mode(), err)
	}
}

// TestTheDirectoryOfRunsIsClosed: other users can neither lay links into it nor
// look what scripts leave there.
func TestTheDirectoryOfRunsIsClosed(t *testing.T) {
	s := newScene(t, "file", func(h *hook.Hook) { h.Files = []hook.Argument{payload("ref", "FILE")} })
	s.Run(t.Context(), attempt("h"), nil)
	entries, err := os.ReadDir(s.options.Directory)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		checked++
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v", entry.Name(), info.Mode())
		}
	}
	if checked == 0 {
		t.Error("nothing was made there")
	}
}
