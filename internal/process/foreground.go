package process

import (
	"context"
	"os"
	"os/exec"
)

// Foreground runs a program for the person at this process's terminal, an
// editor say, and returns when it has ended. It shares the terminal and the
// process group: none of what Start promises holds here.
func Foreground(ctx context.Context, path string, args ...string) error {
	command := exec.CommandContext(ctx, path, args...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	return command.Run()
}
