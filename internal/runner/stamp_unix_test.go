//go:build unix

package runner

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A slot is empty, or it is seen that it is not, however soon something was made
// in it and however that tried to hide.
func TestWhatIsInASlotIsSeen(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"nothing":        func(string) error { return nil },
		"a file":         func(path string) error { return os.WriteFile(filepath.Join(path, "artifacts", "x"), nil, 0o600) },
		"a directory":    func(path string) error { return os.Mkdir(filepath.Join(path, "artifacts", "x"), 0o700) },
		"a summary":      func(path string) error { return os.WriteFile(filepath.Join(path, summaryName), nil, 0o600) },
		"artifacts gone": func(path string) error { return os.Remove(filepath.Join(path, "artifacts")) },
		"all of it gone": os.RemoveAll,
		"artifacts a link": func(path string) error {
			if err := os.Remove(filepath.Join(path, "artifacts")); err != nil {
				return err
			}
			return os.Symlink(t.TempDir(), filepath.Join(path, "artifacts"))
		},
		"a file, the time set back": func(path string) error {
			info, err := os.Stat(filepath.Join(path, "artifacts"))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(path, "artifacts", "x"), nil, 0o600); err != nil {
				return err
			}
			return os.Chtimes(filepath.Join(path, "artifacts"), info.ModTime(), info.ModTime())
		},
	} {
		for _, trusted := range []bool{false, true} {
			s := &slot{path: filepath.Join(t.TempDir(), "slot-0")}
			if err := s.prepare(); err != nil {
				t.Fatal(err)
			}
			if trusted {
				s.clean.taken = s.clean.taken.Add(time.Minute)
			}
			if err := change(s.path); err != nil {
				t.Fatal(err)
			}
			if got, want := s.touched(), name != "nothing"; got != want {
				t.Errorf("%s (trusted %v): touched %v", name, trusted, got)
			}
			if err := s.prepare(); err != nil {
				t.Fatal(err)
			}
			if s.touched() || len(names(s.path, 2)) != 1 || len(names(filepath.Join(s.path, "artifacts"), 1)) != 0 {
				t.Errorf("%s: the next run finds %v", name, names(s.path, 2))
			}
		}
	}
}
