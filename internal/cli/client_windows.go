package cli

import (
	"errors"

	"golang.org/x/sys/windows"
)

// refused reports whether nobody listens on a socket that is there.
func refused(err error) bool { return errors.Is(err, windows.WSAECONNREFUSED) }

// systemHomes are where Pawls of other users may lie.
func systemHomes() []string { return nil }
