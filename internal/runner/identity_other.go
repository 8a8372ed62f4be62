//go:build !linux

package runner

// startTime is not to be had here without a call per platform; a pid alone
// identifies the process.
func startTime(int) string { return "" }

func bootID() string { return "" }
