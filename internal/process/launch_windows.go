package process

import (
	"os"
	"os/exec"
	"syscall"
)

// launch starts the program of a Spec, by os/exec: it knows how Windows wants
// its command lines and environments.
func launch(spec Spec) (born, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return born{}, err
	}
	defer write.Close()
	input, stdin, err := connectStdin(spec.Stdin)
	if err != nil {
		read.Close()
		return born{}, err
	}
	var c *child
	err = patiently(func() (err error) {
		c, err = children.start(func() (*child, error) { return startCommand(newCommand(spec, stdin, write)) })
		return err
	})
	if input != nil {
		stdin.Close()
	}
	if err != nil {
		read.Close()
		if input != nil {
			input.Close()
		}
		return born{}, err
	}
	return born{child: c, output: outlet{read}, input: input}, nil
}

// newCommand makes what os/exec starts, in a group of its own, which CTRL_BREAK
// can be sent to. A nil stdin is the null device.
func newCommand(spec Spec, stdin, output *os.File) *exec.Cmd {
	cmd := &exec.Cmd{
		Path: spec.Path, Args: spec.Args, Env: spec.Env, Dir: spec.Dir, Stdout: output, Stderr: output,
		SysProcAttr: &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP},
	}
	if stdin != nil {
		cmd.Stdin = stdin // not when nil: the interface would hold a nil file
	}
	if cmd.Env == nil {
		cmd.Env = []string{} // to os/exec nil means the server's
	}
	if len(cmd.Args) == 0 {
		cmd.Args = []string{spec.Path}
	}
	return cmd
}

func startCommand(cmd *exec.Cmd) (*child, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &child{pid: cmd.Process.Pid, alarm: startReaping(func() status {
		_ = cmd.Wait() // the state says it all; nothing else can fail, no copying is os/exec's
		return status{cmd.ProcessState}
	})}, nil
}

// readsLate is false: pipes cannot be read here without waiting.
const readsLate = false

// outlet is our end of an output pipe.
type outlet struct{ pipe *os.File }

func (o outlet) file() *os.File { return o.pipe }

func (o outlet) close() { o.pipe.Close() }

func (o outlet) readNow([]byte) int { return -1 }

// status is how a process ended: by no signal here.
type status struct{ *os.ProcessState }

func (s status) code() int {
	if s.ProcessState == nil {
		return -1
	}
	return s.ExitCode()
}

func (s status) signal() string { return "" }
