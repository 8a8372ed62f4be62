//go:build unix

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/database"
)

func TestADataDirectoryThatCannotBeUsed(t *testing.T) {
	p := startPawl(t, "[]", nil, "-data-dir", "hooks.yaml/state")
	if code := p.exit(); code != exitFailure || !strings.Contains(p.logged(), "-data-dir") {
		t.Errorf("exit status %d; log:\n%s", code, p.logged())
	}
}

// TestOnTmpfs: a directory in memory is used, and readiness does not call it durable.
func TestOnTmpfs(t *testing.T) {
	directory, err := os.MkdirTemp("/dev/shm", "pawl")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(directory) })
	if worth, _, err := database.Kind(directory); err != nil || worth != database.Volatile {
		t.Skip("/dev/shm is no tmpfs", err)
	}
	p := startPawl(t, script("h", "echo", "true"), nil, "-data-dir", directory)
	api := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return admin.DialSocket(ctx, directory) },
	}}
	answer, err := api.Get("http://pawl/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || !strings.Contains(string(body), `"ready":true,"durable":false`) || !strings.Contains(string(body), "lies on tmpfs") {
		t.Errorf("%v, %s\n%s", err, body, p.logged())
	}
}

func TestWithoutADataDirectory(t *testing.T) {
	home := t.TempDir()
	t.Cleanup(func() { // root's runs lie in /run, by the socket's name
		left, _ := filepath.Glob("/run/pawl/*" + filepath.Base(filepath.Dir(home)) + "*")
		for _, path := range left {
			_ = os.RemoveAll(path)
		}
	})
	p := startPawl(t, script("env", "echo $PAWL_ARTIFACTS", "true"), []string{"HOME=" + home, "XDG_CACHE_HOME=" + home, "XDG_RUNTIME_DIR=" + home, "TMPDIR=" + t.TempDir()}, "-data-dir", "none")
	_, artifacts := p.get("/hooks/env")
	if !strings.HasPrefix(artifacts, home) && !strings.HasPrefix(artifacts, "/run/pawl") {
		t.Errorf("runs lie in %q", artifacts)
	}
}

func TestScriptsRunAsTheUserOfSetuid(t *testing.T) {
	t.Run("default data directory", func(t *testing.T) { runAsNobody(t, "") })
	t.Run("one whose parents are not there", func(t *testing.T) { runAsNobody(t, "made/for/pawl") })
}

// runAsNobody starts Pawl as root, lets it become nobody, and asks a script who
// it is and whether it has a directory.
func runAsNobody(t *testing.T, dataDir string) {
	if os.Getuid() != 0 {
		unable(t, "only root can become another user")
	}
	// The directories of tests are root's alone; this user must get through.
	dir, err := os.MkdirTemp("", "pawl-setuid-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "hooks.yaml")
	if err := os.WriteFile(file, []byte(script("id", "id -u; id -g; id -G; test -d $PAWL_ARTIFACTS && echo own", "true")), 0o644); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	self, _ := os.Executable()
	var log bytes.Buffer
	cmd := exec.Command(self, "-hooks", file, "-ip", "127.0.0.1", "-port", fmt.Sprint(port), "-setuid", "65534", "-setgid", "65534", "-data-dir", dataDir)
	cmd.Env, cmd.Dir, cmd.Stderr = []string{playVariable + "=1", "GORACE=atexit_sleep_ms=0", "PATH=" + os.Getenv("PATH"), "XDG_STATE_HOME=" + filepath.Join(dir, "state")}, dir, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Signal(syscall.SIGTERM) }()
	var body []byte
	for range 1000 {
		answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/hooks/id", port))
		if errors.Is(err, syscall.ECONNREFUSED) {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		body, _ = io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		break
	}
	if got := string(body); got != "65534\n65534\n65534\nown\n" {
		t.Errorf("a script saw %q", got)
	}
}

func TestRootGivesNothingAwayThatWasThere(t *testing.T) {
	if os.Getuid() != 0 {
		unable(t, "only root can become another user")
	}
	dir := t.TempDir()
	there, link := filepath.Join(dir, "there"), filepath.Join(dir, "link")
	if err := os.Mkdir(there, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(there, link); err != nil {
		t.Fatal(err)
	}
	shared := filepath.Join(dir, "shared") // one that others may write to
	if err := os.Mkdir(shared, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(shared, 0o777); err != nil {
		t.Fatal(err)
	}
	users := filepath.Join(dir, "users") // another user's, who laid a link to root's
	if err := errors.Join(os.Mkdir(users, 0o755), os.Symlink(there, filepath.Join(users, "state")), os.Lchown(users, 12345, 12345)); err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(dir, "new", "fresh")
	for _, path := range []string{there, link, filepath.Join(shared, "x"), filepath.Join(users, "state", "a", "b"), fresh} {
		s := settings{uid: 65534, gid: 65534, dataDir: path}
		s.handOver(s.dataDirectories())
	}
	owner := func(path string) uint32 {
		info, err := os.Lstat(path)
		if err != nil {
			return 0
		}
		return info.Sys().(*syscall.Stat_t).Uid
	}
	for _, path := range []string{there, link, filepath.Join(shared, "x"), filepath.Dir(fresh)} {
		if owner(path) != 0 {
			t.Errorf("%s was given away", path)
		}
	}
	if _, err := os.Lstat(filepath.Join(there, "a")); err == nil {
		t.Error("root made a directory behind another user's link")
	}
	if owner(fresh) != 65534 {
		t.Errorf("%s was not made for the user", fresh)
	}
}
