package server

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// why tells from the system's error what is in the way.
func why(err error) trouble {
	switch {
	case errors.Is(err, windows.WSAEADDRINUSE):
		return inUse
	case errors.Is(err, windows.WSAEADDRNOTAVAIL):
		return notHere
	case errors.Is(err, windows.WSAEACCES):
		return forbidden
	case errors.Is(err, windows.WSAECONNREFUSED):
		return nobodyListens
	default:
		return otherTrouble
	}
}

// abstract reports whether a socket's path names no file.
func abstract(string) bool { return false }

// lockDirectory does nothing here: directories cannot be locked.
func lockDirectory(string) (unlock func()) { return func() {} }

// listens is never asked here: nobody passes sockets.
func listens(*os.File) bool { return false }
