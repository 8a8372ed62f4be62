//go:build !linux

package runner

// bootID is not to be had here without a call per platform.
func bootID() string { return "" }
