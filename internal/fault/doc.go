// Package fault proves that Pawl loses nothing when things break: it is killed
// at any moment, by its own scripts too, its disk is full or fails, its journal
// is damaged, the clock jumps.
//
// It holds tests alone, and they try the whole program: the test binary plays
// pawl, its scripts write into a ledger what they did, and the ledger is held
// against what senders were answered and against what Pawl remembers. What can
// only be had as root on Linux (small file systems, disks that fail) is left out
// elsewhere, and says so. The flag -long tries for hours what takes seconds
// else, and -seed the same once more.
package fault
