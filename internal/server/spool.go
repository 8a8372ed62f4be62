package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// spoolMemory is how much of a command's output is kept in memory until it is
// sent; more goes into a file.
const spoolMemory = 1 << 20

// spool keeps what is written to it until it is sealed. Then it may be read; what
// comes after that, of a command that is not waited for any more, is dropped.
type spool struct {
	directory string

	mu     sync.Mutex
	sealed bool
	memory bytes.Buffer
	file   *os.File // holds all once there is one
	failed error    // what is kept is not whole
}

func newSpool(directory string) *spool { return &spool{directory: directory} }

func (s *spool) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sealed {
		return len(p), nil
	}
	n, err := s.keep(p)
	if err != nil && s.failed == nil {
		s.failed = fmt.Errorf("keep a long output: %w", err)
	}
	return n, err
}

func (s *spool) keep(p []byte) (int, error) {
	if s.file == nil && s.memory.Len()+len(p) <= spoolMemory {
		return s.memory.Write(p)
	}
	if s.file == nil {
		file, err := os.CreateTemp(s.directory, "output-")
		if err != nil {
			return 0, err
		}
		s.file = file
		// Without a name it is gone with the program, however that ends. Where a
		// file that is open cannot be removed, Close does.
		_ = os.Remove(file.Name())
		if _, err := s.memory.WriteTo(file); err != nil {
			return 0, err
		}
	}
	return s.file.Write(p)
}

// Seal ends the writing. It may be called again.
func (s *spool) Seal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = true
}

// Reader gives all that was written, and its first bytes, or says why not all
// of it is there. It is called once, after Seal.
func (s *spool) Reader() (all io.Reader, head []byte, err error) {
	const sniffed = 512 // what http.DetectContentType looks at
	if s.failed != nil {
		return nil, nil, s.failed
	}
	if s.file == nil {
		content := s.memory.Bytes()
		return bytes.NewReader(content), content[:min(len(content), sniffed)], nil
	}
	head = make([]byte, sniffed)
	n, err := s.file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	_, err = s.file.Seek(0, io.SeekStart)
	return s.file, head[:n], err
}

// Close throws everything away.
func (s *spool) Close() {
	s.Seal()
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
	}
}
