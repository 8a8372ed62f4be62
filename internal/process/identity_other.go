//go:build !linux

package process

import "time"

// bootID is not to be had here without a call per platform.
func bootID() string { return "" }

func sinceBoot() time.Duration { return 0 }

// Running is false: here a process is known by its number alone, and that may be
// another's by now.
func (Identity) Running() bool { return false }
