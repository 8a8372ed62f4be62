package cli

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/admin"
)

// TestTranslate: flags with one dash, before and after words, whatever the
// command; what is a flag's value stays as it is.
func TestTranslate(t *testing.T) {
	cases := []struct{ typed, meant string }{
		{"", "serve"},
		{"-port 80 -verbose", "serve --port 80 --verbose"},
		{"-hooks -x -port=80", "serve --hooks -x --port=80"},
		{"-verbose true -port 80", "serve --verbose true -port 80"},
		{"check -hooks a b", "check --hooks a b"},
		{"runs ls -hook a -state failed", "runs ls --hook a --state failed"},
		{"runs list -hook a -state failed", "runs list --hook a --state failed"},
		{"runs -port 9001 ls -n 5 -o json", "runs --port 9001 ls -n 5 -o json"},
		{"runs logs 0192 -f -attempt 2", "runs logs 0192 -f --attempt 2"},
		{"runs logs 0192 -follow", "runs logs 0192 --follow"},
		{"runs ls -key -x -n 5", "runs ls --key -x -n 5"},
		{"runs ls -key=-x --hook a", "runs ls --key=-x --hook a"},
		{"runs ls -o -x -hook a", "runs ls -o -x --hook a"},
		{"runs retry -hook ls -dry-run", "runs retry --hook ls --dry-run"},
		{"runs pause a -- -reason", "runs pause a -- -reason"},
		{"runs -help", "runs --help"},
		{"backup a -data-dir b", "backup a --data-dir b"},
		{"help runs", "help runs"},
		{"__complete runs -p", "__complete runs -p"},
		{"nonsense -x", "nonsense -x"},
	}
	root := (&app{}).newRoot()
	for _, c := range cases {
		if got := strings.Join(translate(strings.Fields(c.typed), root), " "); got != c.meant {
			t.Errorf("%q becomes %q, not %q", c.typed, got, c.meant)
		}
	}
}

// TestConnect: which of the Pawls on this machine is asked, and what is said
// where that cannot be told.
func TestConnect(t *testing.T) {
	cases := []struct {
		name    string
		running []string // below the state's home, or from /
		typed   string
		environ []string
		want    string // what the directory ends in
		fails   string
	}{
		{"the only one", []string{"9000"}, "", nil, "/9000", ""},
		{"the only one, at a socket", []string{"run-pawl.sock"}, "", nil, "/run-pawl.sock", ""},
		{"a whole directory", []string{"."}, "", nil, "/pawl", ""},
		{"by port", []string{"9000", "9100"}, "--port 9100", nil, "/9100", ""},
		{"by the port's variable", []string{"9000", "9100"}, "", []string{"PAWL_PORT=9100"}, "/9100", ""},
		{"by socket", []string{"9000", "run-pawl.sock"}, "--socket /run/pawl.sock", nil, "/run-pawl.sock", ""},
		{"by directory", []string{"9000", "9100"}, "--data-dir STATE/9100", nil, "/9100", ""},
		{"by the directory's variable", []string{"9000", "9100"}, "", []string{"PAWL_DATA_DIR=STATE/9000"}, "/9000", ""},
		{"a port counts more than a directory's variable", []string{"9000", "9100"}, "--port 9100", []string{"PAWL_DATA_DIR=STATE/9000"}, "/9100", ""},
		{"a port counts more than a socket's variable", []string{"run-pawl.sock", "9100"}, "--port 9100", []string{"PAWL_SOCKET=/run/pawl.sock"}, "/9100", ""},
		{"a socket counts more than a directory's variable", []string{"9000", "run-pawl.sock"}, "--socket /run/pawl.sock", []string{"PAWL_DATA_DIR=STATE/9000"}, "/run-pawl.sock", ""},
		{"a port at which none runs, beside a directory's variable", []string{"9000"}, "--port 9100", []string{"PAWL_DATA_DIR=STATE/9000"}, "", "beside a flag that names one, PAWL_DATA_DIR does not count"},
		{"an empty variable says nothing", []string{"9000"}, "", []string{"PAWL_DATA_DIR="}, "/9000", ""},
		{"one of two", []string{"9000", "9100"}, "", nil, "", "2 are running, in STATE/9000, STATE/9100; choose one with -port or -data-dir"},
		{"none", nil, "", nil, "", "no Pawl is running: none has a socket in STATE;"},
		{"another port", []string{"9000"}, "--port 9100", nil, "", "no Pawl is running in STATE/9100, "},
		{"another port, with a directory of its own", nil, "--port 9100", nil, "", "; if it was given a -data-dir, name that"},
		{"another directory", []string{"9000"}, "--data-dir STATE/none", nil, "", "no Pawl is running in STATE/none"},
		{"a variable that is no port", nil, "", []string{"PAWL_PORT=many"}, "", `PAWL_PORT="many"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			home := shortHome(t)
			state := filepath.Join(home, "pawl")
			here := func(text string) string { return strings.ReplaceAll(text, "STATE", state) }
			for _, name := range c.running {
				listenAt(t, filepath.Join(state, name))
			}
			i := instance{homes: []string{state}} // others may run on this machine
			command := &cobra.Command{Use: "x", RunE: func(*cobra.Command, []string) error { return nil }}
			i.addTo(command)
			command.SetArgs(strings.Fields(here(c.typed)))
			if err := command.Execute(); err != nil {
				t.Fatal(err)
			}
			environ := slices.Clone(c.environ)
			for n := range environ {
				environ[n] = here(environ[n])
			}
			found, err := (&app{stderr: &bytes.Buffer{}, environ: environ}).connect(t.Context(), &i)
			switch {
			case c.fails == "" && err != nil:
				t.Fatal(err)
			case c.fails == "" && !strings.HasSuffix(filepath.ToSlash(found.directory), c.want):
				t.Errorf("asked is %s", found.directory)
			case c.fails != "" && (err == nil || !strings.Contains(err.Error(), here(c.fails))):
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// shortHome makes this process's home, runtime directories and all, a directory
// whose path is short enough for sockets.
func shortHome(t *testing.T) string {
	home, err := os.MkdirTemp("", "pawl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	t.Setenv("XDG_STATE_HOME", home)
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join(home, "run"))
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	return home
}

// listenAt plays a Pawl that runs with that data directory.
func listenAt(t *testing.T, directory string) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		t.Fatal(err)
	}
	listener, err := admin.ListenSocket(directory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				_ = conn.Close()
			}
		}
	}()
}

// TestLeftOverSocket: one that nobody listens on is no Pawl.
func TestLeftOverSocket(t *testing.T) {
	home := shortHome(t)
	listenAt(t, filepath.Join(home, "pawl", "9000"))
	dead := filepath.Join(home, "pawl", "9100")
	if err := os.MkdirAll(dead, 0o700); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(dead, admin.SocketName))
	if err != nil {
		t.Fatal(err)
	}
	if unix, ok := listener.(*net.UnixListener); ok {
		unix.SetUnlinkOnClose(false)
	}
	_ = listener.Close()
	i := instance{homes: []string{filepath.Join(home, "pawl")}}
	i.addTo(&cobra.Command{})
	found, err := (&app{}).connect(t.Context(), &i)
	if err != nil || !strings.HasSuffix(found.directory, "9000") {
		t.Errorf("%+v, %v", found, err)
	}
}
