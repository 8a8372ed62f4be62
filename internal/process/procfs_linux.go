package process

import (
	"bytes"
	"os"
	"strconv"
)

// procEntry is what /proc/PID/stat tells of a process.
type procEntry struct {
	pid, parent, group int
	start              uint64 // clock ticks since boot; with the pid it names a process for good
	zombie             bool   // ended and not yet reaped
}

// readProcesses lists all processes that /proc shows. Without /proc it is
// empty, and a tree is its group.
func readProcesses() []procEntry {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	entries := make([]procEntry, 0, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // it has ended meanwhile
		}
		if entry, ok := parseStat(pid, stat); ok {
			entries = append(entries, entry)
		}
	}
	return entries
}

// readProcess tells of one process.
func readProcess(pid int) (procEntry, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return procEntry{}, false
	}
	return parseStat(pid, stat)
}

// parseStat reads a line of /proc/PID/stat (proc_pid_stat(5)). The program's
// name stands in parentheses and may itself hold blanks and parentheses, so
// the fields are counted from the last one.
func parseStat(pid int, stat []byte) (procEntry, bool) {
	const (
		state     = 0 // the third field in the manual
		parent    = 1
		group     = 2
		startTime = 19
	)
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return procEntry{}, false
	}
	fields := bytes.Fields(stat[end+1:])
	if len(fields) <= startTime {
		return procEntry{}, false
	}
	entry := procEntry{pid: pid, zombie: fields[state][0] == 'Z' || fields[state][0] == 'X'}
	var err [3]error
	entry.parent, err[0] = strconv.Atoi(string(fields[parent]))
	entry.group, err[1] = strconv.Atoi(string(fields[group]))
	entry.start, err[2] = strconv.ParseUint(string(fields[startTime]), 10, 64)
	return entry, err == [3]error{}
}

// hasMark reports whether a process was started with mark ("NAME=value") in its
// environment. An empty mark is in none, nor is any in an environment that we
// may not read.
func hasMark(pid int, mark string) bool {
	if mark == "" {
		return false
	}
	environ, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return false
	}
	for item := range bytes.SplitSeq(environ, []byte{0}) {
		if string(item) == mark {
			return true
		}
	}
	return false
}
