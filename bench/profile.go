//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// profiled measures do with perf beside it, which writes down where the server
// spends its CPU time, in the kernel as well. The report comes to lie beside
// the directories of the runs, and a note names it.
func (b *bench) profiled(ctx context.Context, s *server, do func(*server) error) error {
	data := filepath.Join(filepath.Dir(s.log), "perf.data")
	recorder := exec.CommandContext(ctx, "perf", "record", "-q", "-g", "-F", "499", "-p", strconv.Itoa(s.pid()), "-o", data)
	recorder.Stderr = b.progress
	if err := recorder.Start(); err != nil {
		return fmt.Errorf("profile (apt-get install linux-perf): %w", err)
	}
	err := do(s)
	if interrupted := recorder.Process.Signal(syscall.SIGINT); interrupted != nil {
		return errors.Join(err, interrupted)
	}
	_ = recorder.Wait() // it ends by the signal
	if err != nil {
		return err
	}
	said, err := exec.CommandContext(ctx, "perf", "report", "--stdio", "--no-children", "-g", "none", "--percent-limit", "0.3", "-i", data).Output()
	if err != nil {
		return fmt.Errorf("perf report: %w", err)
	}
	b.profiles++
	path := filepath.Join(filepath.Dir(b.directory), fmt.Sprintf("profile-%s-%d.txt", b.current, b.profiles))
	if err := os.WriteFile(path, said, 0o644); err != nil {
		return err
	}
	b.notes = append(b.notes, "profile: "+path)
	return nil
}
