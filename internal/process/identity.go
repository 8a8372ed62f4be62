package process

import "time"

// Identity names a process for good: numbers are given again, but not within
// the same moments of the same boot of the machine.
type Identity struct {
	PID  int
	Boot string        // of the machine; empty where the system does not tell
	From time.Duration // between From and To after the boot it was started
	To   time.Duration
}

// Identity names the first process. It costs no system call, and serves a later
// Pawl: see Leftovers.
func (p *Process) Identity() Identity {
	return Identity{PID: p.child.pid, Boot: bootID(), From: p.began, To: p.begun}
}
