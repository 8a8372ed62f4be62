package explain

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/sender"
	"github.com/pawlhq/pawl/internal/trigger"
)

// settle says what the whole comes to: its result, and what the server answers.
func (q *question) settle() {
	if q.Outcome != Triggered && q.Outcome != Handshaken {
		q.Decision.Result, q.Decision.Why = string(fails), q.Reason
	}
	if !q.options.Replayed {
		q.Answer = q.answer()
	}
}

// answer is what the server answers where no other hook is at the path.
func (q *question) answer() *Answer {
	switch {
	case q.Outcome == Triggered:
		return q.accepted()
	case q.Outcome == NotAllowed && q.unknocked():
		return q.same(trigger.NotFound())
	case q.Outcome == NotAllowed:
		return &Answer{Status: http.StatusMethodNotAllowed}
	case q.verdict != nil:
		return q.same(q.verdict.Answer())
	case q.Outcome == Failed:
		return q.same(trigger.Unsure())
	case q.pathWrong():
		return q.same(trigger.NotFound())
	}
	return q.same(trigger.Unauthorized())
}

// same is an answer of the server's.
func (q *question) same(a trigger.Answer) *Answer {
	return &Answer{Status: a.Status, Body: q.masks.text(a.Text)}
}

// unknocked reports whether a secret belongs behind the path, and is wrong: then
// nobody hears which methods the hook takes.
func (q *question) unknocked() bool {
	gate := q.hook.Gate
	return q.request.Rest != "" && (gate == nil || !gate.UsesPath() || gate.Early(q.request) != nil)
}

// pathWrong reports whether the answer is that of an unknown hook.
func (q *question) pathWrong() bool {
	var refused *sender.RefusedError
	return q.stray || errors.As(q.refusal, &refused) && refused.Path
}

// accepted is the answer to a delivery that triggers.
func (q *question) accepted() *Answer {
	h := q.hook
	a := &Answer{Status: cmp.Or(h.SuccessCode, http.StatusOK), Body: h.Message}
	var then []string
	switch {
	case h.Answer.Body == hook.BodyCGI:
		a.Body = ""
		then = append(then, "the command's output, which begins with Status: and header lines, is the answer")
	case h.Answer.Body == hook.BodyStream:
		a.Body = ""
		then = append(then, "the command's output is the answer, as it comes")
	case h.OutputInResponse || h.Answer.Live():
		a.Body = ""
		then = append(then, "the command's output is the answer, when it has ended")
		if !h.OutputInResponseOnError {
			then = append(then, "of a command that fails its output is not sent, unless exit-status names the status")
		}
	case h.Answer.Wait > 0:
		then = append(then, "the answer waits for the end of the run")
	default:
		return a
	}
	if h.Answer.Body != hook.BodyStream && h.Answer.Body != hook.BodyCGI {
		then = append(then, ends(h))
	}
	if h.Answer.Wait > 0 {
		then = append(then, fmt.Sprintf("after %s it is 202 and the run's id", h.Answer.Wait))
	}
	a.Then = strings.Join(then, "; ")
	return a
}

// ends says which status follows from which exit code.
func ends(h *hook.Hook) string {
	codes := make([]int, 0, len(h.Answer.ExitStatus))
	for code := range h.Answer.ExitStatus {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	var words []string
	for _, code := range codes {
		words = append(words, fmt.Sprintf("exit %d: %d", code, h.Answer.ExitStatus[code]))
	}
	return strings.Join(append(words, fmt.Sprintf("any other failure: %d", cmp.Or(h.Answer.OtherExit, http.StatusInternalServerError))), ", ")
}
