//go:build unix

package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
)

// DropPrivileges makes the whole process run as the user uid and the group gid,
// without any other group and without a way back. Both are numbers above 0. A
// process that runs as these already stays as it is. After an error the process
// may run as anything, and should end.
func DropPrivileges(uid, gid int) error {
	if uid <= 0 || gid <= 0 {
		return fmt.Errorf("change to user %d and group %d: -setuid and -setgid go together, and take numbers above 0", uid, gid)
	}
	if os.Getuid() == uid && os.Geteuid() == uid && os.Getgid() == gid && os.Getegid() == gid {
		return nil // to drop its other groups it would have to be root
	}
	// The groups go first: the user that comes last may change none. Each call
	// changes all threads.
	if err := syscall.Setgroups([]int{gid}); err != nil {
		return refusedChange("leave all groups but", gid, err)
	}
	if err := syscall.Setgid(gid); err != nil {
		return refusedChange("change to group", gid, err)
	}
	if err := syscall.Setuid(uid); err != nil {
		return refusedChange("change to user", uid, err)
	}
	return verifyPrivileges(uid, gid)
}

func refusedChange(what string, id int, err error) error {
	if errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("%s %d: -setuid and -setgid need a start as root, this is user %d: %w", what, id, os.Geteuid(), err)
	}
	return fmt.Errorf("%s %d: %w", what, id, err)
}

// verifyPrivileges asks the system what the process may do now: scripts of
// strangers' making depend on it.
func verifyPrivileges(uid, gid int) error {
	groups, err := syscall.Getgroups()
	if err != nil {
		return fmt.Errorf("ask for the groups after the change to group %d: %w", gid, err)
	}
	if slices.ContainsFunc(groups, func(id int) bool { return id != gid }) {
		return fmt.Errorf("change to user %d and group %d: the process is still in the groups %v", uid, gid, groups)
	}
	for _, id := range []struct {
		what      string
		got, want int
	}{
		{"user", os.Getuid(), uid}, {"effective user", os.Geteuid(), uid},
		{"group", os.Getgid(), gid}, {"effective group", os.Getegid(), gid},
	} {
		if id.got != id.want {
			return fmt.Errorf("change to user %d and group %d: the %s is %d", uid, gid, id.what, id.got)
		}
	}
	if syscall.Setuid(0) == nil { // a saved user or a capability would let every script do the same
		return fmt.Errorf("change to user %d: the process can still become root", uid)
	}
	return nil
}
