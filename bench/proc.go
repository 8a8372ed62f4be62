//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// memory gives how much of a process is resident: now, and at most since it
// began, in bytes.
func memory(pid int) (now, peak int64, err error) {
	fields, err := statusOf(pid)
	if err != nil {
		return 0, 0, err
	}
	if now, err = kilobytes(fields["VmRSS"]); err != nil {
		return 0, 0, err
	}
	peak, err = kilobytes(fields["VmHWM"])
	return now, peak, err
}

// threads gives the number of a process's threads.
func threads(pid int) (int, error) {
	fields, err := statusOf(pid)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(fields["Threads"])
}

// statusOf reads /proc/PID/status.
func statusOf(pid int) (map[string]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil, fmt.Errorf("the server has ended: %w", err)
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		fields[name] = strings.TrimSpace(value)
	}
	return fields, nil
}

func kilobytes(text string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSuffix(text, " kB"), 10, 64)
	return n << 10, err
}

// processor gives the CPU time that a process has used, without its children.
func processor(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("the server has ended: %w", err)
	}
	_, after, _ := strings.Cut(string(text), ") ") // the name before may hold blanks
	fields := strings.Fields(after)
	var ticks int64
	for _, field := range fields[11:13] { // utime, stime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100), nil // USER_HZ is 100 on all that Go runs on
}

// forks counts the processes and threads that this machine has started.
func forks() (int64, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	_, after, found := bytes.Cut(text, []byte("\nprocesses "))
	if !found {
		return 0, errors.New("/proc/stat does not count processes")
	}
	number, _, _ := bytes.Cut(after, []byte("\n"))
	return strconv.ParseInt(string(number), 10, 64)
}

// children gives processes that a process has started, has not waited for yet;
// all of them, or some where one is enough.
func children(pid int, enough bool) ([]int, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // the thread has ended
		}
		if err != nil {
			return nil, err
		}
		for _, field := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				return nil, err
			}
			pids = append(pids, child)
		}
		if enough && len(pids) > 0 {
			break
		}
	}
	return pids, nil
}

// allowFiles lets the servers open as many files as systemd does: webhook, which
// starts all scripts at once, loses those for which it can open no more.
func allowFiles() error {
	const files = 524_288 // DefaultLimitNOFILE
	limit := syscall.Rlimit{Cur: files, Max: files}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("servers cannot open %d files, as under systemd (CAP_SYS_RESOURCE): %w", files, err)
	}
	return nil
}

// adoptOrphans makes this process the parent of what its servers leave behind,
// so that it can be found and ended.
func adoptOrphans() error {
	const setChildSubreaper = 36 // PR_SET_CHILD_SUBREAPER
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0); errno != 0 {
		return fmt.Errorf("adopt orphans: %w", errno)
	}
	return nil
}

// endOrphans kills what a server left running. It must be the only children
// that this process has.
func endOrphans() error {
	for {
		orphans, err := children(os.Getpid(), false)
		if err != nil || len(orphans) == 0 {
			return err
		}
		for _, pid := range orphans {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("end process %d, which a server left running: %w", pid, err)
			}
			_, err := syscall.Wait4(pid, nil, 0, nil)
			for errors.Is(err, syscall.EINTR) {
				_, err = syscall.Wait4(pid, nil, 0, nil)
			}
		}
	}
}

// volatileFilesystem gives the name of the kind of file system where that loses data
// with the machine, else "".
func volatileFilesystem(path string) string {
	var stat syscall.Statfs_t
	if syscall.Statfs(path, &stat) != nil {
		return ""
	}
	switch uint32(stat.Type) {
	case 0x01021994:
		return "tmpfs"
	case 0x794c7630:
		return "overlay"
	case 0x858458f6:
		return "ramfs"
	}
	return ""
}
