package hook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	// pipePatience is how long a pipe in the place of a hook file may let its
	// reader wait, in all: a person who forgot to write into it sees nothing else.
	pipePatience = 30 * time.Second

	// maxPipe bounds what is read of a pipe, in bytes.
	maxPipe = 16 << 20
)

// readPipe reads a named pipe or, as a shell's <(…), one that another process
// writes to. To open a pipe waits for its writer, for ever if there is none, so
// it is opened without waiting.
func readPipe(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	_ = file.SetReadDeadline(time.Now().Add(pipePatience)) // a system without deadlines waits
	text, err := io.ReadAll(io.LimitReader(file, maxPipe+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fmt.Errorf("it is a pipe, and who writes to it did not end within %v", pipePatience)
	case err != nil:
		return nil, err
	case len(text) == 0:
		return nil, errors.New("it is a pipe that nobody writes to")
	case len(text) > maxPipe:
		return nil, errors.New("it is a pipe, and more than 16 MiB came of it")
	}
	return text, nil
}

// isSchema reports whether a file is a JSON Schema, which lies beside hook files
// for editors, and no hook file: an object whose $schema is one of
// json-schema.org's.
func isSchema(text []byte) bool {
	if !bytes.Contains(text, []byte(`"$schema"`)) {
		return false
	}
	var object struct {
		Schema string `json:"$schema"`
	}
	return json.Unmarshal(text, &object) == nil && strings.Contains(object.Schema, "//json-schema.org/")
}
