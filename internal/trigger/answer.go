package trigger

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
)

// Answer is what the sender of a delivery hears that makes no run.
type Answer struct {
	Status int
	Text   string
}

// NotFound is the answer where no hook is at the path, and where the secret
// behind it is wrong.
func NotFound() Answer { return Answer{http.StatusNotFound, "Hook not found."} }

// Unauthorized is the answer to a delivery that is not authentic: one text,
// whatever is missing or wrong.
func Unauthorized() Answer { return Answer{http.StatusUnauthorized, "Unauthorized."} }

// Unsure is the answer while it cannot be told who calls.
func Unsure() Answer {
	return Answer{http.StatusServiceUnavailable, "Not accepted: who calls cannot be checked now."}
}

// Answer is what the sender hears of a hook that was asked, and did not trigger.
// It names which value does not fit, and nothing of what the hook asks of it.
func (v Verdict) Answer() Answer {
	switch v.Kind {
	case Handshaken:
		return Answer{v.Handshake.Status, v.Handshake.Body}
	case Nothing, Uninteresting:
		code := v.Hook.SuccessCode
		if code < 200 || code > 299 {
			code = http.StatusOK
		}
		return Answer{code, "No runs: " + v.told() + "."}
	case Refused:
		return Answer{patient(v.Hook, http.StatusBadRequest), "Refused: " + v.told() + "."}
	case Mismatched:
		return Answer{cmp.Or(v.Hook.MismatchCode, http.StatusOK), "Hook rules were not satisfied."}
	case Unauthenticated:
		return Unauthorized()
	}
	text := "Error occurred while evaluating hook rules."
	if v.Unparsed() {
		text = "Error occurred while parsing multipart form."
	}
	return Answer{patient(v.Hook, http.StatusInternalServerError), text}
}

// Unparsed reports whether the delivery failed since its multipart form cannot be
// parsed.
func (v Verdict) Unparsed() bool {
	var unparsed *delivery.ParseError
	return errors.As(v.Err, &unparsed)
}

// patient is the status by which a sender hears that its delivery is not good:
// success, where it would stop calling after a few that are not.
func patient(h *hook.Hook, status int) int {
	if h.Sender != nil && h.Sender.SwitchesOff {
		return http.StatusOK
	}
	return status
}

// told is the reason as the sender hears it. A stranger may be one, so patterns,
// expressions and lists of events are not in it: the log has them.
func (v Verdict) told() string {
	text := ""
	switch v.Kind {
	case Nothing:
		text = place(*v.Hook.ForEach) + " has no elements to run for"
	case Uninteresting:
		text = fmt.Sprintf("the event type %.100q is none that the hook asks for", v.request.EventType())
	default:
		text = toldOf(v.Err)
	}
	return v.because(text)
}

// toldOf says of what does not fit where it is.
func toldOf(err error) string {
	var spoiled *spoiledError
	var bound *BoundError
	var elements *delivery.ElementsError
	var expression *delivery.ExpressionError
	switch {
	case errors.As(err, &spoiled):
		return fmt.Sprintf("element %d of %s: %s", spoiled.number, place(spoiled.of), toldOf(spoiled.err))
	case errors.As(err, &bound):
		return place(bound.Bound.Ref) + " does not fit"
	case errors.As(err, &elements):
		return place(elements.Ref) + " " + elements.Reason
	case errors.As(err, &expression):
		return "what the hook works out of its values cannot be told"
	}
	return "it does not fit"
}

// place names a value, but not by the hook's expression.
func place(ref delivery.Ref) string {
	if ref.Source == delivery.CEL {
		return "a value that the hook works out"
	}
	return ref.String()
}
