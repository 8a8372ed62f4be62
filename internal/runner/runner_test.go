package runner

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// play names the variable that makes the test binary a script.
const play = "RUNNER_TEST_PLAY"

// TestMain runs the tests, or plays a script.
func TestMain(m *testing.M) {
	switch os.Getenv(play) {
	case "":
		os.Exit(m.Run())
	case "tell": // arguments, then the variables that begin with these
		fmt.Println(strings.Join(os.Args[1:], "|"))
		for _, item := range os.Environ() {
			if strings.HasPrefix(item, "HOOK_") || strings.HasPrefix(item, "FILE") || strings.HasPrefix(item, "OWN") {
				fmt.Println(item)
			}
		}
	case "file": // what a file holds, and its mode
		info, err := os.Stat(os.Getenv("FILE"))
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		content, _ := os.ReadFile(os.Getenv("FILE"))
		fmt.Printf("%s %o %s", filepath.Dir(os.Getenv("FILE")), info.Mode().Perm(), content)
	case "leave": // artifacts, summary and results
		artifacts, summary, output := os.Getenv("PAWL_ARTIFACTS"), os.Getenv("PAWL_SUMMARY"), os.Getenv("PAWL_OUTPUT")
		_ = os.WriteFile(filepath.Join(artifacts, "sbom.json"), []byte("{}"), 0o600)
		_ = os.WriteFile(summary, []byte("# done"), 0o600)
		_ = os.WriteFile(output, []byte("digest=x\nbad line\n\nurl=a=b\r\n"), 0o600)
	case "stdin":
		text, err := io.ReadAll(os.Stdin)
		fmt.Printf("%d %x %v", len(text), sha256.Sum256(text), err)
	case "pawl": // what Pawl tells of itself
		for _, item := range os.Environ() {
			if strings.HasPrefix(item, "PAWL_") || strings.HasPrefix(item, "KEPT_") {
				fmt.Println(item)
			}
		}
	case "fail":
		fmt.Println("oh no")
		os.Exit(3)
	case "spew":
		_, _ = io.Copy(os.Stdout, io.LimitReader(letters{}, 5<<20))
	case "grow": // artifacts until somebody ends it; how large they are to be is its argument
		fmt.Println("growing")
		if len(os.Args) > 2 {
			_ = os.WriteFile(filepath.Join(os.Getenv("PAWL_ARTIFACTS"), "small"), []byte("small"), 0o600)
			_ = os.WriteFile(filepath.Join(os.Getenv("PAWL_ARTIFACTS"), "large"), make([]byte, 1<<20), 0o600)
			break
		}
		for i := 0; ; i++ {
			_ = os.WriteFile(filepath.Join(os.Getenv("PAWL_ARTIFACTS"), fmt.Sprint("part", i)), make([]byte, 1<<10), 0o600)
			time.Sleep(time.Millisecond)
		}
	case "talk": // a line, then whatever comes in, until that ends
		fmt.Println("hello")
		_, _ = io.Copy(os.Stdout, os.Stdin)
	case "sleep":
		fmt.Println("asleep")
		time.Sleep(time.Hour)
	}
	os.Exit(0)
}

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// scene is a runner with one hook, whose command is this test binary.
type scene struct {
	*Runner
	directory string
	log       *bytes.Buffer
}

func newScene(t *testing.T, part string, change func(*hook.Hook)) scene {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := &hook.Hook{ID: "h", Command: self, Keep: hook.Keep{Output: hook.DefaultKeepOutput, Artifacts: hook.DefaultKeepArtifacts}, Process: hook.Process{KillGrace: 10 * time.Second}}
	if change != nil {
		change(h)
	}
	s := scene{directory: t.TempDir(), log: &bytes.Buffer{}}
	s.Runner = New(Options{
		Hook: func(id string) *hook.Hook {
			if id == h.ID {
				return h
			}
			return nil
		},
		Environment: []string{play + "=" + part, "GORACE=atexit_sleep_ms=0", "OWN=server", "PATH=" + os.Getenv("PATH")},
		Directory:   s.directory, KillAfter: 50 * time.Millisecond,
		Log: zerolog.New(s.log),
	})
	return s
}

func attempt(id string) run.Run {
	return run.Run{ID: uuid.Must(uuid.NewV7()).String(), Hook: id, Attempt: 1, Delivery: &run.Delivery{
		ID: "d", Method: "POST", Body: []byte(`{"ref":"main","n":1.50}`),
		Header: http.Header{"Content-Type": {"application/json"}},
	}}
}

func payload(name, variable string) hook.Argument {
	a := hook.Argument{Variable: variable}
	a.Source, a.Name = "payload", name
	return a
}

func TestAScriptGetsItsValues(t *testing.T) {
	s := newScene(t, "tell", func(h *hook.Hook) {
		h.Arguments = []hook.Argument{payload("ref", ""), payload("missing", ""), payload("n", "")}
		h.Environment = []hook.Argument{payload("ref", ""), payload("n", "OWN"), payload("missing", "HOOK_gone")}
	})
	outcome := s.Run(t.Context(), attempt("h"), nil)
	got := strings.Split(strings.TrimSpace(string(outcome.Output)), "\n")
	slices.Sort(got[1:])
	want := []string{"main||1.50", "HOOK_ref=main", "OWN=1.50"}
	if !slices.Equal(got, want) || outcome.State() != run.Succeeded {
		t.Errorf("%s: the script saw %q, want %q", outcome.State(), got, want)
	}
}

func TestFilesForAScript(t *testing.T) {
	for _, own := range []bool{true, false} {
		t.Run(fmt.Sprintf("own working directory %t", own), func(t *testing.T) {
			work := t.TempDir()
			t.Setenv("TMPDIR", work)
			s := newScene(t, "file", func(h *hook.Hook) {
				h.Files = []hook.Argument{payload("ref", "FILE")}
				if own {
					work = t.TempDir()
					h.Directory = work
				}
			})
			outcome := s.Run(t.Context(), attempt("h"), nil)
			if got, want := string(outcome.Output), work+" 600 main"; got != want {
				t.Errorf("the script saw %q, want %q", got, want)
			}
			if left, err := os.ReadDir(work); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

// left lists what runs left behind, besides the table and empty slots.
func (s scene) left(t *testing.T) []string {
	t.Helper()
	var left []string
	err := filepath.WalkDir(s.directory, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(s.directory, path)
		base := filepath.Base(name)
		if name == "." || name == tableName || strings.HasPrefix(base, slotPrefix) || base == "artifacts" {
			return nil
		}
		left = append(left, filepath.ToSlash(name))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return left
}

func TestOutcomes(t *testing.T) {
	tests := []struct {
		name, part string
		change     func(*hook.Hook)
		end        run.End
		code       int
		reason     string
	}{
		{"exit status", "fail", nil, run.Exited, 3, "exit status 3"},
		{"time-out", "sleep", func(h *hook.Hook) { h.Process.Timeout = 50 * time.Millisecond }, run.TimedOut, -1, "timed out: process.timeout is 50ms"},
		{"no such command", "", func(h *hook.Hook) { h.Command = "/nonexistent/x" }, run.NotStarted, -1, "no such file or directory"},
		{"no such directory", "tell", func(h *hook.Hook) { h.Directory = "/nonexistent" }, run.NotStarted, -1, "/nonexistent"},
		{"no directory for a file", "tell", func(h *hook.Hook) {
			h.Directory, h.Files = "/nonexistent", []hook.Argument{payload("ref", "FILE")}
		}, run.NotStarted, -1, "write the file for FILE"},
		{"a name that no variable can have", "tell", func(h *hook.Hook) {
			h.Environment = []hook.Argument{payload("ref", "A=B")}
		}, run.NotStarted, -1, "holds '='"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t, test.part, test.change)
			outcome := s.Run(t.Context(), attempt("h"), nil)
			if outcome.End != test.end || outcome.ExitCode != test.code || !strings.Contains(outcome.Reason, test.reason) {
				t.Errorf("got %s, %d, %q; want %s, %d, %q", outcome.End, outcome.ExitCode, outcome.Reason, test.end, test.code, test.reason)
			}
			if !strings.Contains(s.log.String(), test.reason) {
				t.Errorf("the log does not say why: %s", s.log)
			}
			if left := s.left(t); left != nil {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestAHookThatIsGone(t *testing.T) {
	s := newScene(t, "tell", nil)
	if outcome := s.Run(t.Context(), attempt("gone"), nil); outcome.End != run.NotStarted || !strings.Contains(outcome.Reason, "no longer") {
		t.Errorf("got %s, %q", outcome.End, outcome.Reason)
	}
}

func TestOutputIsKeptWithinItsBoundAndForwardedWhole(t *testing.T) {
	s := newScene(t, "spew", func(h *hook.Hook) { h.Keep.Output = 1000 })
	var whole bytes.Buffer
	outcome := s.Run(t.Context(), attempt("h"), &whole)
	if len(outcome.Output) != 1000 || outcome.Omitted != 5<<20-1000 || whole.Len() != 5<<20 {
		t.Errorf("kept %d, omitted %d, forwarded %d", len(outcome.Output), outcome.Omitted, whole.Len())
	}
}

// signal closes once something is written.
type signal chan struct{}

func (s signal) Write(p []byte) (int, error) {
	select {
	case <-s:
	default:
		close(s)
	}
	return len(p), nil
}

func TestAnInterruptedScript(t *testing.T) {
	s := newScene(t, "sleep", nil)
	ctx, cancel := context.WithCancel(t.Context())
	asleep := make(signal)
	go func() {
		<-asleep
		cancel()
	}()
	if outcome := s.Run(ctx, attempt("h"), asleep); outcome.End != run.Interrupted || outcome.State() != run.Failed {
		t.Errorf("got %s, %q", outcome.End, outcome.Reason)
	}
}

func TestKill(t *testing.T) {
	s := newScene(t, "sleep", nil)
	asleep := make(signal)
	go func() {
		<-asleep
		s.Kill()
	}()
	if outcome := s.Run(t.Context(), attempt("h"), asleep); outcome.End != run.Interrupted {
		t.Errorf("got %s, %q", outcome.End, outcome.Reason)
	}
	if outcome := s.Run(t.Context(), attempt("h"), nil); outcome.End != run.Interrupted {
		t.Errorf("after Kill a script ended as %s, %q", outcome.End, outcome.Reason)
	}
}
