//go:build unix

package hook_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pawlhq/pawl/internal/hook"
)

// TestPipeInPlaceOfAFile: a pipe is read once, and one that nobody writes to is
// told in place of a wait without end.
func TestPipeInPlaceOfAFile(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "hooks.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	_, report, _ := hook.NewLoader([]string{pipe}, hook.Options{}).Load()
	if text := report.Problems.String(); !strings.Contains(text, "it is a pipe that nobody writes to") {
		t.Errorf("a pipe without a writer: %q", text)
	}
	if err := os.Remove(pipe); err != nil {
		t.Fatal(err)
	}

	// As a shell's <(…): the writer is there before the reader.
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = read.Close() }()
	written := make(chan error, 1)
	go func() {
		_, err := write.WriteString("- {id: a, execute-command: /bin/true}\n")
		written <- err
		_ = write.Close()
	}()
	name := "/dev/fd/" + itoa(read.Fd())
	loader := hook.NewLoader([]string{name}, hook.Options{KeepText: true})
	set, report, _ := loader.Load()
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if set.ByID("a") == nil || !strings.Contains(string(report.Files[0].Text), "id: a") {
		t.Errorf("a pipe with a writer: %v, text %q", report.Problems, report.Files[0].Text)
	}
	if set, _, _ = loader.Load(); set.ByID("a") == nil {
		t.Error("its hooks did not stay at a reload")
	}
}
