//go:build unix

package cli

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

func TestDropPrivilegesRefusesHalf(t *testing.T) {
	for _, ids := range [][2]int{{0, 0}, {1, 0}, {0, 1}, {-1, 1}, {1, -1}} {
		if err := DropPrivileges(ids[0], ids[1]); err == nil {
			t.Errorf("user %d and group %d were taken", ids[0], ids[1])
		}
	}
}

// The process cannot take it back, so the test runs itself again, as root and as
// others.
func TestDropPrivileges(t *testing.T) {
	if want := os.Getenv("PAWL_TEST_DROP"); want != "" {
		playDropPrivileges(t, want)
		return
	}
	if os.Geteuid() != 0 {
		unable(t, "only root can change to another user")
	}
	nobody := &syscall.Credential{Uid: 65534, Gid: 65534}
	for name, c := range map[string]struct {
		as   *syscall.Credential // to start as; root when nil
		want string              // a part of the error; it succeeds with "dropped"
	}{
		"by root":                {nil, "dropped"},
		"by root in many groups": {&syscall.Credential{Groups: []uint32{0, 4, 27}}, "dropped"},
		"by the user itself":     {&syscall.Credential{Uid: 1234, Gid: 2345}, "dropped"},
		"by another user":        {nobody, "need a start as root, this is user 65534"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("/proc/self/fd/3", "-test.run=^TestDropPrivileges$", "-test.count=1")
			binary, err := os.Open(os.Args[0]) // by descriptor: others may not enter its directory
			if err != nil {
				t.Fatal(err)
			}
			defer binary.Close()
			cmd.ExtraFiles = []*os.File{binary}
			cmd.Dir = "/"
			cmd.Env = append(os.Environ(), "PAWL_TEST_DROP="+c.want, "GORACE=atexit_sleep_ms=0")
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as}
			if output, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(output), "PASS") {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

func playDropPrivileges(t *testing.T, want string) {
	err := DropPrivileges(1234, 2345)
	if want != "dropped" {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	checkThreads(t)
	if err := DropPrivileges(1234, 2345); err != nil {
		t.Errorf("a second time: %v", err)
	}
	script, err := exec.Command("sh", "-c", "id -u; id -G").CombinedOutput()
	if err != nil || string(script) != "1234\n2345\n" {
		t.Errorf("a script runs as %q, %v", script, err)
	}
}

// checkThreads asks Linux what each thread may do; elsewhere there is only the
// process.
func checkThreads(t *testing.T) {
	t.Helper()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	if len(threads) < 2 {
		t.Error("there is one thread only, which shows nothing")
	}
	for _, thread := range threads {
		text, err := os.ReadFile("/proc/self/task/" + thread.Name() + "/status")
		if err != nil {
			t.Fatal(err)
		}
		status := "\n" + strings.ReplaceAll(string(text), " \n", "\n")
		for _, want := range []string{"\nUid:\t1234\t1234\t1234\t1234\n", "\nGid:\t2345\t2345\t2345\t2345\n", "\nCapEff:\t0000000000000000\n"} {
			if !strings.Contains(status, want) {
				t.Errorf("thread %s has no %q:\n%s", thread.Name(), want, text)
			}
		}
	}
}
