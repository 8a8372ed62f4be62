package runner

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFilesOfARun(t *testing.T) {
	s := newScene(t, "leave", nil)
	r := attempt("h")
	if _, err := s.Files(r.ID); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before the run: %v", err)
	}
	s.Run(t.Context(), r, nil)
	files, err := s.Files(r.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	list, more, err := files.Artifacts()
	if err != nil || more || len(list) != 1 || list[0].Name != "sbom.json" || list[0].Size != 2 || list[0].Modified.IsZero() {
		t.Errorf("artifacts %v %v; %v", list, more, err)
	}
	if summary, cut, err := files.Summary(); string(summary) != "# done" || cut || err != nil {
		t.Errorf("summary %q %v; %v", summary, cut, err)
	}
	file, err := files.Open("sbom.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if text, err := io.ReadAll(file); string(text) != "{}" || err != nil {
		t.Errorf("it holds %q; %v", text, err)
	}
	other := attempt("h")
	s.Forget([]string{"..", "../" + filepath.Base(s.directory), "", r.ID, other.ID})
	if left := s.left(t); left != nil {
		t.Errorf("left after it was forgotten: %v", left)
	}
	for _, id := range []string{r.ID, "..", ".", "", "x/../" + r.ID} {
		if _, err := s.Files(id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// A script must not make Pawl show what lies elsewhere, hang or touch a device.
func TestHostileFiles(t *testing.T) {
	dir, id := t.TempDir(), attempt("h").ID
	s := New(Options{Directory: dir})
	own := filepath.Join(dir, id, "artifacts")
	other := filepath.Join(dir, attempt("h").ID, "artifacts", "secret")
	outside := filepath.Join(t.TempDir(), "secret")
	must := func(errs ...error) {
		t.Helper()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(own, "sub"), 0o700), os.MkdirAll(filepath.Dir(other), 0o700),
		os.WriteFile(filepath.Join(own, "sub", "plain"), []byte("plain"), 0o600),
		os.WriteFile(filepath.Join(own, "to-link"), []byte("x"), 0o600),
		os.WriteFile(other, []byte("secret"), 0o600), os.WriteFile(outside, []byte("secret"), 0o600))
	must(os.Symlink(outside, filepath.Join(own, "link")), os.Symlink(other, filepath.Join(own, "link-to-another-run")),
		os.Symlink("sub/plain", filepath.Join(own, "link-inside")), os.Symlink("sub", filepath.Join(own, "link-to-sub")),
		os.Link(outside, filepath.Join(own, "hard")), os.Symlink(outside, filepath.Join(dir, id, summaryName)))
	want := []string{"sub/plain", "to-link"}
	want = append(want, special(t, own)...)
	files, err := s.Files(id)
	must(err)
	defer files.Close()
	list, _, err := files.Artifacts()
	must(err)
	var got []string
	for _, file := range list {
		got = append(got, file.Name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
	names, err := os.ReadDir(own)
	must(err)
	for _, entry := range names {
		file, err := files.Open(entry.Name())
		if plain := slices.Contains(want, entry.Name()); (err == nil) != plain {
			t.Errorf("%s was opened: %v", entry.Name(), err)
		}
		if err == nil {
			file.Close()
		}
	}
	for _, name := range []string{"link-to-sub/plain", "../artifacts/to-link", "/etc/passwd", outside, "", ".", "sub", "sub/../to-link", "sub//plain"} {
		if file, err := files.Open(name); err == nil {
			file.Close()
			t.Errorf("%q was opened", name)
		}
	}
	if text, _, err := files.Summary(); err == nil || len(text) > 0 {
		t.Errorf("a summary that is a link: %q", text)
	}
	must(os.RemoveAll(own), os.Symlink(filepath.Dir(other), own))
	if again, err := s.Files(id); err == nil {
		again.Close()
		t.Error("artifacts that are a link were opened")
	}
}

func TestTheListOfFilesIsBounded(t *testing.T) {
	dir, id := t.TempDir(), attempt("h").ID
	own := filepath.Join(dir, id, "artifacts")
	if err := os.MkdirAll(own, 0o700); err != nil {
		t.Fatal(err)
	}
	for range FilesShown + 1 {
		file, err := os.CreateTemp(own, "")
		if err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
	if err := os.WriteFile(filepath.Join(dir, id, summaryName), []byte(strings.Repeat("x", summaryBound+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := New(Options{Directory: dir}).Files(id)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	if list, more, err := files.Artifacts(); len(list) != FilesShown || !more || err != nil {
		t.Errorf("%d files, more %v; %v", len(list), more, err)
	}
	if text, cut, err := files.Summary(); len(text) != summaryBound || !cut || err != nil {
		t.Errorf("%d bytes of summary, cut %v; %v", len(text), cut, err)
	}
}

func TestWhatCannotBeEnteredIsForgottenAllTheSame(t *testing.T) {
	s := newScene(t, "tell", nil)
	id := attempt("h").ID
	below := filepath.Join(s.directory, id, "artifacts", "shut")
	if err := errors.Join(os.MkdirAll(filepath.Join(below, "x"), 0o700), os.Chmod(below, 0)); err != nil {
		t.Fatal(err)
	}
	s.Forget([]string{id})
	if left := s.left(t); left != nil {
		t.Errorf("left: %v", left)
	}
}
