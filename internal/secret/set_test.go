package secret

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// reveal is what a Set holds, as text.
func reveal(values []Value) string {
	var texts []string
	for _, v := range values {
		texts = append(texts, v.Reveal())
	}
	return strings.Join(texts, " ")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// settle sets a file's time of change back, so that it is believed.
func settle(t *testing.T, path string, ago time.Duration) {
	t.Helper()
	at := time.Now().Add(-ago)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// story is a Set of one file and what its alarm said.
type story struct {
	*testing.T
	path   string
	set    *Set
	alarms []string
}

func begin(t *testing.T, text string) *story {
	t.Helper()
	s := &story{T: t, path: filepath.Join(t.TempDir(), "quay")}
	write(t, s.path, text)
	settle(t, s.path, time.Hour)
	s.set = NewSet([]Source{{File: s.path}}, func(text string) { s.alarms = append(s.alarms, text) })
	return s
}

// wants asks for the secret several times, and for the alarms since the last
// time, each by a word of it.
func (s *story) wants(secret string, alarms ...string) {
	s.Helper()
	for range 3 {
		if got := reveal(s.set.Values()); got != secret {
			s.Fatalf("the secret is %q, want %q", got, secret)
		}
	}
	if len(s.alarms) != len(alarms) {
		s.Fatalf("the alarms are %q, want %d", s.alarms, len(alarms))
	}
	for i, word := range alarms {
		if !strings.Contains(s.alarms[i], word) || !strings.Contains(s.alarms[i], s.path) {
			s.Errorf("the alarm is %q, want %q and the path in it", s.alarms[i], word)
		}
		if strings.Contains(s.alarms[i], secret) {
			s.Errorf("the alarm tells the secret: %q", s.alarms[i])
		}
	}
	s.alarms = nil
}

func TestAFileIsReadAgainWhenItChanges(t *testing.T) {
	s := begin(t, "first-key\n")
	s.wants("first-key")
	write(t, s.path, "second-key\r\n")
	s.wants("second-key")
	settle(t, s.path, time.Minute)
	s.wants("second-key")
}

// A change of the same length within one tick of the clock shows in nothing; so
// a young file is read each time.
func TestAYoungFileIsReadEachTime(t *testing.T) {
	s := begin(t, "aaaa")
	at := time.Now().Add(-time.Second)
	for _, text := range []string{"bbbb", "cccc", "dddd"} {
		write(t, s.path, text)
		if err := os.Chtimes(s.path, at, at); err != nil {
			t.Fatal(err)
		}
		s.wants(text)
	}
}

func TestAFileThatIsSettledIsNotReadAgain(t *testing.T) {
	s := begin(t, "aaaa")
	s.wants("aaaa")
	before, err := os.Stat(s.path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, s.path, "bbbb")
	if err := os.Chtimes(s.path, before.ModTime(), before.ModTime()); err != nil {
		t.Fatal(err)
	}
	s.wants("aaaa") // nothing shows: the time, the length and the file are the same
}

// Kubernetes changes all files of a volume at once, by renaming a link to their
// directory; editors rename a new file over the old one.
func TestARenameIsAChange(t *testing.T) {
	s := begin(t, "aaaa")
	s.wants("aaaa")
	old, err := os.Stat(s.path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, s.path+".new", "bbbb")
	if err := os.Chtimes(s.path+".new", old.ModTime(), old.ModTime()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(s.path+".new", s.path); err != nil {
		t.Fatal(err)
	}
	s.wants("bbbb")
}

func TestKubernetesLinks(t *testing.T) {
	directory := t.TempDir()
	mount := func(version, text string) {
		t.Helper()
		path := filepath.Join(directory, version)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(path, "key"), text)
		settle(t, filepath.Join(path, "key"), time.Hour)
		link := filepath.Join(directory, "..data_tmp")
		if err := os.Symlink(version, link); err != nil {
			t.Skipf("no links here: %v", err)
		}
		if err := os.Rename(link, filepath.Join(directory, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	mount("..2026_01", "first\n")
	if err := os.Symlink(filepath.Join("..data", "key"), filepath.Join(directory, "key")); err != nil {
		t.Fatal(err)
	}
	set := NewSet([]Source{{File: filepath.Join(directory, "key")}}, nil)
	if got := reveal(set.Values()); got != "first" {
		t.Fatalf("the secret is %q", got)
	}
	mount("..2026_02", "other\n")
	if got := reveal(set.Values()); got != "other" {
		t.Fatalf("after the change the secret is %q", got)
	}
}

func TestTheLastGoodSecretStays(t *testing.T) {
	s := begin(t, "good-key")
	s.wants("good-key")
	if err := os.Remove(s.path); err != nil {
		t.Fatal(err)
	}
	s.wants("good-key", "there is no file")
	if errs := s.set.Check(); len(errs) != 1 || !errors.Is(errs[0], ErrUnset) {
		t.Errorf("Check says %v", errs)
	}
	write(t, s.path, "new-key")
	s.wants("new-key", "can be read again")
	write(t, s.path, "\n")
	s.wants("new-key", "is empty")
	write(t, s.path, strings.Repeat("x", maxFile+1))
	s.wants("new-key") // it goes on, for another reason
	if errs := s.set.Check(); len(errs) != 1 || errors.Is(errs[0], ErrUnset) || !strings.Contains(errs[0].Error(), "64 KiB") {
		t.Errorf("Check says %v", errs)
	}
	write(t, s.path, strings.Repeat("x", maxFile))
	s.wants(strings.Repeat("x", maxFile), "can be read again")
	if errs := s.set.Check(); errs != nil {
		t.Errorf("Check says %v", errs)
	}
}

func TestAFileThatMayNotBeRead(t *testing.T) {
	s := begin(t, "good-key")
	s.wants("good-key")
	if err := os.Chmod(s.path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(s.path); err == nil {
		// root and Windows read it all the same: a directory in its place cannot be.
		if err := errors.Join(os.Remove(s.path), os.Mkdir(s.path, 0o700)); err != nil {
			t.Fatal(err)
		}
		s.wants("good-key", "is not a regular file")
		return
	}
	write(t, s.path+".new", "other")
	if err := errors.Join(os.Chmod(s.path+".new", 0), os.Rename(s.path+".new", s.path)); err != nil {
		t.Fatal(err)
	}
	s.wants("good-key", "permission denied")
	if err := os.Chmod(s.path, 0o600); err != nil {
		t.Fatal(err)
	}
	s.wants("other", "can be read again") // its time of change is as it was
}

func TestWhatIsNotSet(t *testing.T) {
	directory := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", directory)
	t.Setenv("PAWL_TEST_SET", "from-env\n")
	t.Setenv("PAWL_TEST_EMPTY", "")
	write(t, filepath.Join(directory, "given"), "from-systemd\n")
	write(t, filepath.Join(directory, "blank"), " \n")
	alarmed := false
	set := NewSet([]Source{
		{File: filepath.Join(directory, "none")},
		{Env: "PAWL_TEST_SET"},
		{Env: "PAWL_TEST_EMPTY"},
		{Env: "PAWL_TEST_NONE"},
		{Credential: "given"},
		{Credential: "none"},
		{Credential: "../none"},
		{File: filepath.Join(directory, "blank")},
		{Text: New("in-the-file")},
		{},
	}, func(string) { alarmed = true })
	if got := reveal(set.Values()); got != "from-env from-systemd in-the-file" {
		t.Errorf("the secrets are %q", got)
	}
	var unset []bool
	for _, err := range set.Check() {
		unset = append(unset, errors.Is(err, ErrUnset))
	}
	if !slices.Equal(unset, []bool{true, true, true, true, false, true, true}) {
		t.Errorf("what is not set: %v", set.Check())
	}
	if alarmed {
		t.Error("there is an alarm about what never was")
	}
	// It may be set later.
	write(t, filepath.Join(directory, "none"), "late")
	if got := reveal(set.Values()); got != "late from-env from-systemd in-the-file" {
		t.Errorf("with the file the secrets are %q", got)
	}
}

// Variables and credentials are read once.
func TestAVariableIsReadOnce(t *testing.T) {
	t.Setenv("PAWL_TEST_SET", "first")
	set := NewSet([]Source{{Env: "PAWL_TEST_SET"}}, nil)
	t.Setenv("PAWL_TEST_SET", "second")
	if got := reveal(set.Values()); got != "first" {
		t.Errorf("the secret is %q", got)
	}
}

func TestLineEnds(t *testing.T) {
	for text, want := range map[string]string{
		"k": "k", "k\n": "k", "k\r\n": "k", "k\n\n": "k\n", " k ": " k ", "k\r": "k\r", "a\nb\n": "a\nb",
	} {
		s := begin(t, text)
		s.wants(want)
	}
}

// Whoever asks while the file changes gets the old secret or the new one, whole.
func TestManyAskWhileItChanges(t *testing.T) {
	s := begin(t, strings.Repeat("a", 1000))
	s.set.alarm = nil
	var asking sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		asking.Go(func() {
			for {
				got := reveal(s.set.Values())
				if len(got) != 1000 || got != strings.Repeat(got[:1], 1000) {
					t.Errorf("half a secret: %d bytes", len(got))
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := range 50 {
		write(t, s.path+".new", strings.Repeat(string(rune('a'+i%26)), 1000))
		if err := os.Rename(s.path+".new", s.path); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	asking.Wait()
	if got, want := reveal(s.set.Values()), strings.Repeat(string(rune('a'+49%26)), 1000); got != want {
		t.Errorf("at the end it is %.10s…, want %.10s…", got, want)
	}
}

// A Set of texts, variables and credentials costs nothing to ask; one of files
// costs the question whether they have changed.
func TestAskingAllocatesNothing(t *testing.T) {
	set := NewSet([]Source{{Text: New("a")}, {Text: New("b")}}, nil)
	if n := testing.AllocsPerRun(100, func() { set.Values() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkValues(b *testing.B) {
	path := filepath.Join(b.TempDir(), "key")
	if err := os.WriteFile(path, []byte("key"), 0o600); err != nil {
		b.Fatal(err)
	}
	at := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, at, at); err != nil {
		b.Fatal(err)
	}
	for name, source := range map[string]Source{"text": {Text: New("key")}, "file": {File: path}} {
		b.Run(name, func(b *testing.B) {
			set := NewSet([]Source{source}, nil)
			b.ReportAllocs()
			for b.Loop() {
				set.Values()
			}
		})
	}
}
