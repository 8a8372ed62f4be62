package process

import "time"

// Leftovers are the processes of an earlier Pawl that is gone: a crash left them
// running.
type Leftovers struct {
	Marked func(mark string) bool // whether a variable "NAME=value" is the mark of such a tree
	Name   string                 // of that variable
	First  []Identity             // first processes of such trees, where they are known
	Grace  time.Duration          // between SIGTERM and SIGKILL
}
