package enginetest

import (
	"fmt"
	"sync"
	"testing"
)

// notes gathers what goes wrong instead of failing a test, so that rapid can look
// for a shorter way to it.
type notes struct {
	testing.TB

	mu    sync.Mutex
	wrong []string
}

// enough is what a fatal note panics with.
type enough struct{}

func (n *notes) Helper() {}

func (n *notes) Errorf(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wrong = append(n.wrong, fmt.Sprintf(format, args...))
}

func (n *notes) Error(args ...any) { n.Errorf("%s", fmt.Sprintln(args...)) }

func (n *notes) Fatalf(format string, args ...any) {
	n.Errorf(format, args...)
	panic(enough{})
}

func (n *notes) Fatal(args ...any) { n.Fatalf("%s", fmt.Sprintln(args...)) }

// caught ends a fatal note's panic, deferred by the func that is to end by it.
func (n *notes) caught() {
	if cause := recover(); cause != nil {
		if _, ok := cause.(enough); !ok {
			panic(cause)
		}
	}
}

func (n *notes) list() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.wrong
}
