//go:build unix

package cli

import (
	"os"
	"syscall"
)

// reloadSignals are those that reload, and USR2, which is taken so that it does
// not end Pawl.
func reloadSignals() []os.Signal {
	return []os.Signal{syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2}
}

func ignoredSignal(sig os.Signal) bool { return sig == syscall.SIGUSR2 }

// reloadWords says how a hook file is read again, at the end of a message.
const reloadWords = "; once it is in order, HUP (kill -HUP PID) reads it again, and -hotreload does by itself"
