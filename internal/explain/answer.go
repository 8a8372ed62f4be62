package explain

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/sender"
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
	h := q.hook
	switch q.Outcome {
	case Triggered:
		return q.accepted()
	case Handshaken:
		return &Answer{Status: q.Handshake.Status, Body: q.Handshake.Body}
	case NotAllowed:
		return &Answer{Status: http.StatusMethodNotAllowed}
	case Unauthenticated:
		if q.pathWrong() {
			return &Answer{Status: http.StatusNotFound, Body: "Hook not found."}
		}
		return &Answer{Status: http.StatusUnauthorized, Body: "Unauthorized."}
	case Refused:
		return &Answer{Status: patient(h, http.StatusBadRequest), Body: "Refused: " + q.Reason + "."}
	case Failed:
		return q.failure()
	}
	if q.lacksRun() {
		code := h.SuccessCode
		if code < 200 || code > 299 {
			code = http.StatusOK
		}
		return &Answer{Status: code, Body: "No runs: " + q.Reason + "."}
	}
	return &Answer{Status: cmp.Or(h.MismatchCode, http.StatusOK), Body: "Hook rules were not satisfied."}
}

// lacksRun reports whether the delivery is welcome, and there is nothing to run
// for: its event is none of the hook's, or for-each has no element.
func (q *question) lacksRun() bool {
	return slices.ContainsFunc(q.Decision.Parts, func(n Node) bool {
		return n.Result == string(fails) && (n.What == "events" || n.What == "for-each" && len(n.Parts) == 0)
	})
}

// pathWrong reports whether the answer is that of an unknown hook.
func (q *question) pathWrong() bool {
	var refused *sender.RefusedError
	return q.stray || errors.As(q.refusal, &refused) && refused.Path
}

func (q *question) failure() *Answer {
	if !q.Authenticated {
		return &Answer{Status: http.StatusServiceUnavailable, Body: "Not accepted: who calls cannot be checked now."}
	}
	text := "Error occurred while evaluating hook rules."
	if q.unparsed {
		text = "Error occurred while parsing multipart form."
	}
	return &Answer{Status: patient(q.hook, http.StatusInternalServerError), Body: text}
}

// patient is the status by which a sender hears that its delivery is not good:
// success, where it would stop calling after a few that are not.
func patient(h *hook.Hook, status int) int {
	if h.Sender != nil && h.Sender.SwitchesOff {
		return http.StatusOK
	}
	return status
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

// isUnparsed reports whether a multipart form cannot be parsed.
func isUnparsed(err error) bool {
	var unparsed *delivery.ParseError
	return errors.As(err, &unparsed)
}
