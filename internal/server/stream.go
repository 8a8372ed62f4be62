package server

import (
	"net/http"
	"sync"
	"time"

	"github.com/pawlhq/pawl/internal/hook"
)

// stream sends output on as it comes. Its status is that of success: how the
// command ends is not known when its first line goes out. A sender that reads
// slowly holds up the command, for answerTime at most at a time.
type stream struct {
	x    *exchange
	hook *hook.Hook

	mu    sync.Mutex
	begun bool
	ended bool // nothing is sent any more
	late  bool // the time was up before anything was
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended && len(p) > 0 {
		if !s.begun {
			setAnswerHeaders(s.x, s.hook)
			s.begin(s.hook.SuccessCode, p)
		}
		s.send(p)
	}
	return len(p), nil
}

// begin sends the head of the answer. The caller holds mu.
func (s *stream) begin(status int, body []byte) {
	s.begun = true
	if status != http.StatusNoContent && status != http.StatusNotModified {
		setContentType(s.x, body)
	}
	if status != 0 {
		s.x.WriteHeader(status)
	}
}

// send sends a piece of the body at once. The caller holds mu.
func (s *stream) send(p []byte) {
	control := http.NewResponseController(s.x)
	_ = control.SetWriteDeadline(time.Now().Add(answerTime))
	if len(p) > 0 {
		if _, err := s.x.Write(p); err != nil {
			s.ended = true // the sender hung up, or takes nothing
			return
		}
	}
	if err := control.Flush(); err != nil {
		s.ended = true
	}
}

func (s *stream) stop() (begun, late bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	return s.begun, s.late
}

func (s *stream) timeUp() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun {
		return false
	}
	s.ended, s.late = true, true
	return true
}

func (s *stream) close() {}

// finish answers for a command that printed nothing.
func (s *stream) finish(e ending) {
	setAnswerHeaders(s.x, s.hook)
	text := ""
	if e.failed {
		text = failedText
	}
	respond(s.x, e.status, text)
}
