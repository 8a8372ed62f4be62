package hook

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A container runtime mounts a single file into a container. What is written to
// it outside sends no event to the directory inside; the poll finds it.
//
// The test runs itself again in a mount name space of its own.
func TestWatchNoticesWritesBehindABindMount(t *testing.T) {
	const variable = "PAWL_TEST_BIND_MOUNT"
	if root := os.Getenv(variable); root != "" {
		watchBindMount(t, tree{t, root})
		return
	}
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("only root may mount")
		}
		t.Skip("only root may mount")
	}
	root := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.v")
	child.Env = append(os.Environ(), variable+"="+root, "GORACE=atexit_sleep_ms=0")
	child.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	output, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("in a mount name space: %v\n%s", err, output)
	}
	if _, err := os.Stat(filepath.Join(root, "watched")); err != nil {
		t.Fatalf("the test did not run behind the mount: %v\n%s", err, output)
	}
}

func watchBindMount(t *testing.T, d tree) {
	d.write("outside/hooks.json", "one")
	d.write("inside/hooks.json", "the mount point")
	d.must(syscall.Mount(d.path("outside/hooks.json"), d.path("inside/hooks.json"), "", syscall.MS_BIND, ""))
	defer func() { d.must(syscall.Unmount(d.path("inside/hooks.json"), 0)) }()

	listed := d.path("inside/hooks.json")
	w := startWatch(t, WatchOptions{Poll: 20 * time.Millisecond, Settle: time.Millisecond}, listed)
	for _, text := range []string{"two", "three"} {
		d.overwrite("outside/hooks.json", text)
		w.awaitState(t, "a write of "+text+" outside")
	}
	w.stop()
	d.write("watched", "")
}
