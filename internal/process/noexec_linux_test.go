package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The same as TestNoExecIsTold on a real mount, in a user and a mount namespace
// of its own, which a machine may forbid.
func TestARealNoExecMountIsTold(t *testing.T) {
	t.Parallel()
	host := exec.Command(script(t, "").Path, t.TempDir())
	host.Env = roleEnv("noexec-mount")
	host.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	output, err := host.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOSPC) {
		unable(t, "this machine allows no user namespaces (%v); TestNoExecIsTold shows the rest", err)
	}
	if err != nil || string(output) != "noexec mount noexec mount\n" {
		t.Errorf("%v:\n%s", err, output)
	}
}

// playNoExecMount mounts a noexec file system and prints what Lookup and Start
// say of a script on it.
func playNoExecMount(args []string) {
	path := filepath.Join(args[0], "script")
	err := unix.Mount("none", args[0], "tmpfs", unix.MS_NOEXEC, "")
	if err == nil {
		err = os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	_, found := Lookup(path, "")
	p, started := Start(Spec{Path: path})
	if started == nil {
		p.Wait(context.Background())
	}
	var first, second *StartError
	if !errors.As(found, &first) || !errors.As(started, &second) {
		fmt.Println("no error:", found, started)
		os.Exit(1)
	}
	fmt.Println(first.Kind, second.Kind)
}
