// Package fault proves that Pawl loses nothing when things break: it is killed
// at any moment, by its own scripts too, its disk is full or fails, its journal
// is damaged, the clock jumps.
//
// It holds tests alone, and they try the whole program: the test binary plays
// pawl, its scripts write into a ledger what they did, and the ledger is held
// against what senders were answered and against what Pawl remembers.
//
// What needs root and Linux, and a minute, stands behind the build tag e2e: small
// file systems, and disks that fail. The flags -long -timeout 0 try for hours what
// takes seconds else, and -seed tries the same once more.
package fault
