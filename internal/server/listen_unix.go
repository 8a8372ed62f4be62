//go:build unix

package server

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// why tells from the system's error what is in the way.
func why(err error) trouble {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return inUse
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return notHere
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return forbidden
	case errors.Is(err, syscall.ECONNREFUSED):
		return nobodyListens
	default:
		return otherTrouble
	}
}

// abstract reports whether a socket's path names no file.
func abstract(path string) bool {
	return runtime.GOOS == "linux" && strings.HasPrefix(path, "@")
}

// lockDirectory keeps others that ask likewise out of a directory, until the
// returned func is called. It leaves no file behind. It gives up after a second:
// others lock directories for purposes of their own, and what the lock is for
// happens seldom.
func lockDirectory(path string) (unlock func()) {
	directory, err := os.Open(path)
	if err != nil {
		return func() {} // what comes next tells of it
	}
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		err = syscall.Flock(int(directory.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	return func() { _ = directory.Close() } // which unlocks
}

// listens reports whether a descriptor is a socket that connections are accepted
// from. One that is a connection itself looks alike to net.FileListener.
func listens(file *os.File) bool {
	conn, err := file.SyscallConn()
	if err != nil {
		return false
	}
	accepts := 0
	asked := conn.Control(func(fd uintptr) {
		accepts, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	})
	return asked == nil && err == nil && accepts != 0
}
