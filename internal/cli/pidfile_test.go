package cli

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestPIDFile(t *testing.T) {
	own := strconv.Itoa(os.Getpid())
	parent := strconv.Itoa(os.Getppid())
	for _, c := range []struct {
		name    string
		path    string  // below the case's directory
		content *string // of the file before; nil where there is none
		refused string  // a part of the error; the file is written when empty
	}{
		{"none there", "pawl.pid", nil, ""},
		{"directories are made", "run/sub/pawl.pid", nil, ""},
		{"of a dead process", "pawl.pid", new("4194999"), ""},
		{"of this process, before its container restarted", "pawl.pid", new(own + "\n"), ""},
		{"empty, after a crash", "pawl.pid", new(""), ""},
		{"no number", "pawl.pid", new("none\n"), ""},
		{"numbers that name no process", "pawl.pid", new("-1"), ""},
		{"more than any process's number", "pawl.pid", new("99999999999999999999"), ""},
		{"of a living process", "pawl.pid", new(parent + "\n"), "the number of a living process, " + parent},
		{"of process 1", "pawl.pid", new("1\n"), "a living process, 1;"},
		{"another file by mistake", "hooks.json", new(strings.Repeat("[]\n", 100)), "something else in its place"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.path == "pawl.pid" && c.content != nil && *c.content == "1\n" && os.Getpid() == 1 {
				t.Skip("this is process 1")
			}
			path := filepath.Join(t.TempDir(), c.path)
			if c.content != nil {
				if err := os.WriteFile(path, []byte(*c.content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			remove, err := createPIDFile(path)
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) || !strings.Contains(err.Error(), path) {
					t.Errorf("error %v, want one with %q", err, c.refused)
				}
				wantFile(t, path, *c.content)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantFile(t, path, own)
			for range 2 {
				if err := remove(); err != nil {
					t.Error(err)
				}
			}
			if _, err := os.Stat(path); err == nil {
				t.Error("the file was not removed")
			}
		})
	}
}

func TestPIDFileInTheWayOfItsDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := createPIDFile(filepath.Join(file, "pawl.pid")); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v", err)
	}
}

func TestPIDFileOfASuccessorStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pawl.pid")
	remove, err := createPIDFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("12"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	wantFile(t, path, "12")
}

func TestPIDFileLeavesNothingBeside(t *testing.T) {
	dir := t.TempDir()
	if _, err := createPIDFile(filepath.Join(dir, "pawl.pid")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory has %v, %v", entries, err)
	}
}

// wantFile checks a file's whole content.
func wantFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s has %q (%v), want %q", path, got, err, want)
	}
}
