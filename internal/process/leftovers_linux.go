package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Stop ends these processes: SIGTERM, the grace, SIGKILL. It returns when they
// are gone, with the number of those that it found. The error is the context's,
// or says which could not be stopped.
//
// A process belongs to them by the mark in its environment, or because it is, or
// descends from, or shares the group of one that does. Pawl itself and what it
// descends from are never touched: a script may have started Pawl.
func (l Leftovers) Stop(ctx context.Context) (found int, err error) {
	spared := ancestors()
	members := l.members(spared)
	found = len(members)
	signal := unix.SIGTERM
	until := time.Now().Add(l.Grace)
	poll := time.NewTicker(treePoll)
	defer poll.Stop()
	for sent := map[procEntry]unix.Signal{}; len(members) > 0; members = l.members(spared) {
		for _, m := range members {
			id := procEntry{pid: m.pid, start: m.start}
			if signal == unix.SIGKILL || sent[id] != signal {
				sent[id] = signal
				signalProcess(m, signal)
			}
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return found, ctx.Err()
		}
		if time.Now().Before(until) {
			continue
		}
		if signal == unix.SIGKILL {
			return found, fmt.Errorf("%d processes from before the crash do not end even by SIGKILL, process %d among them", len(members), members[0].pid)
		}
		signal, until = unix.SIGKILL, time.Now().Add(killWait)
	}
	return found, nil
}

// members finds all of them that are there now, zombies aside.
func (l Leftovers) members(spared map[int]bool) []procEntry {
	all := readProcesses()
	chosen := map[int]bool{}
	groups := map[int]bool{} // of which a member was chosen as the first process of a tree
	for _, first := range l.First {
		if !spared[first.PID] && first.Running() {
			chosen[first.PID], groups[first.PID] = true, true
		}
	}
	var buffer procBuffer
	for _, entry := range all {
		if !spared[entry.pid] && !chosen[entry.pid] && l.carries(buffer.read(entry.pid, "environ")) {
			chosen[entry.pid] = true
		}
	}
	for grown := true; grown; {
		grown = false
		for _, entry := range all {
			if !chosen[entry.pid] && !spared[entry.pid] && (chosen[entry.parent] || groups[entry.group]) {
				chosen[entry.pid], grown = true, true
			}
		}
	}
	var members []procEntry
	for _, entry := range all {
		if chosen[entry.pid] && !entry.zombie {
			members = append(members, entry)
		}
	}
	return members
}

// carries reports whether an environment has one of the marks.
func (l Leftovers) carries(environ []byte) bool {
	prefix := []byte(l.Name + "=")
	if !bytes.Contains(environ, prefix) {
		return false
	}
	for item := range bytes.SplitSeq(environ, []byte{0}) {
		if bytes.HasPrefix(item, prefix) && l.Marked(string(item)) {
			return true
		}
	}
	return false
}

// ancestors are this process, its parent and so on, and process 1.
func ancestors() map[int]bool {
	spared := map[int]bool{0: true, 1: true}
	for pid := os.Getpid(); !spared[pid]; {
		spared[pid] = true
		entry, _ := readProcess(pid)
		pid = entry.parent
	}
	return spared
}

// signalProcess sends a signal to that very process, and not to a stranger who
// was given its number since.
func signalProcess(entry procEntry, signal unix.Signal) {
	fd, err := unix.PidfdOpen(entry.pid, 0)
	if err == nil {
		defer unix.Close(fd)
	}
	now, there := readProcess(entry.pid)
	switch {
	case !there || now.start != entry.start:
	case err == nil:
		_ = unix.PidfdSendSignal(fd, signal, nil, 0)
	default: // Linux before 5.3
		_ = unix.Kill(entry.pid, signal)
	}
}
