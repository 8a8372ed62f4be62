//go:build unix

package cli

import (
	"errors"
	"syscall"
)

// refused reports whether nobody listens on a socket that is there.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// systemHomes are where Pawls of other users may lie.
func systemHomes() []string { return []string{"/var/lib", "/run"} }
