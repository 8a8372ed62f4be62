package process

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
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
	var buffer procBuffer
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if entry, ok := parseStat(pid, buffer.read(pid, "stat")); ok { // else it has ended meanwhile
			entries = append(entries, entry)
		}
	}
	return entries
}

// readProcess tells of one process.
func readProcess(pid int) (procEntry, bool) {
	var buffer procBuffer
	return parseStat(pid, buffer.read(pid, "stat"))
}

// procBuffer reads small files of /proc, one after the other: there are many.
type procBuffer struct {
	path []byte
	text []byte
}

// read gives the whole of /proc/PID/name until the next read. It is empty where
// that cannot be read.
func (b *procBuffer) read(pid int, name string) []byte {
	b.path = strconv.AppendInt(append(b.path[:0], "/proc/"...), int64(pid), 10)
	b.path = append(append(b.path, '/'), name...)
	fd, err := unix.Open(string(b.path), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	if b.text == nil {
		b.text = make([]byte, 4<<10)
	}
	for size := 0; ; {
		n, err := unix.Read(fd, b.text[size:])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil
		case n == 0:
			return b.text[:size]
		}
		if size += n; size == len(b.text) {
			b.text = append(b.text, make([]byte, len(b.text))...)
		}
	}
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
	var buffer procBuffer
	return holdsItem(buffer.read(pid, "environ"), mark)
}

// holdsItem reports whether a text is one of those that NUL bytes end.
func holdsItem(items []byte, item string) bool {
	for at := 0; ; {
		found := bytes.Index(items[at:], []byte(item))
		if found < 0 {
			return false
		}
		at += found
		end := at + len(item)
		if (at == 0 || items[at-1] == 0) && (end == len(items) || items[end] == 0) {
			return true
		}
		at++
	}
}
