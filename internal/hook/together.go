package hook

import (
	"slices"

	"github.com/pawlhq/pawl/internal/delivery"
)

// together checks what several of Pawl's keys say with one another, and sets
// what follows from them.
func (r *reader) together(h *Hook) {
	if h.ForEach == nil {
		for _, use := range r.elements {
			r.refuse(use.node, "%s is the element of for-each, and the hook has no for-each", use.what)
		}
	}
	h.Bounds = r.bounds
	if len(r.expressions) > 0 {
		h.Payload.Expressions = r.expressions
	}
	r.callerTogether(h)
	r.identityTogether(h)
	r.queueTogether(h)
	r.retryTogether(h)
	r.answerTogether(h)
	if node := r.places["keep.age"]; node != nil && h.Keep.Age == 0 {
		r.wrong(node, "age is longer than nothing; leave it out for %v", DefaultKeepAge)
	}
}

func (r *reader) queueTogether(h *Hook) {
	q := &h.Queue
	if node := r.places["queue.debounce"]; node != nil && q.Debounce > 0 && !q.Coalesce {
		r.wrong(node, "debounce has no effect without coalesce: true, which lets a newer run take the place of one that waits")
	}
	if node := r.places["queue.overflow"]; node != nil && q.MaxQueued == 0 {
		r.wrong(node, "overflow has no effect without max-queued")
	}
	if node := r.places["queue.coalesce"]; node != nil && q.Coalesce && h.ForEach != nil &&
		!slices.ContainsFunc(q.Key, func(ref delivery.Ref) bool { return ref.Source == delivery.Element }) {
		r.advise(node, "coalesce loses elements: with for-each, and no {source: element} in queue.key, the runs of a newer delivery take the places of an older one's, whatever their elements are")
	}
}

func (r *reader) retryTogether(h *Hook) {
	t := &h.Retry
	if t.Attempts < 2 {
		for _, name := range []string{"backoff", "max-backoff", "exit-codes"} {
			if node := r.places["retry."+name]; node != nil {
				r.wrong(node, "%s has no effect without attempts: 2 or more", name)
			}
		}
	}
	switch node := r.places["retry.max-backoff"]; {
	case node == nil:
		t.MaxBackoff = max(t.MaxBackoff, t.Backoff)
	case t.MaxBackoff < t.Backoff:
		r.wrong(node, "max-backoff (%v) is shorter than backoff (%v)", t.MaxBackoff, t.Backoff)
	}
	if (h.Queue.Set || t.Set) && r.places["retry.interruptions"] == nil {
		t.Interruptions = DefaultInterruptions
	}
}

func (r *reader) answerTogether(h *Hook) {
	a := &h.Answer
	body, stream := r.places["answer.body"], r.places["stream-command-output"]
	if body == nil && a.Live() {
		body = stream
	} else if body != nil && stream != nil {
		r.wrong(stream, "stream-command-output and answer.body say the same: keep answer.body")
	}
	switch {
	case body != nil && h.OutputInResponse:
		r.wrong(body, "include-command-output-in-response and %s both say what the answer is made of: keep one of them", answerKey(body == stream))
	case body != nil && h.ForEach != nil:
		r.wrong(body, "an answer made of the command's output is that of one run, and for-each makes several: leave out one of them")
	case h.OutputInResponse && h.ForEach != nil:
		r.wrong(r.places["for-each"], "include-command-output-in-response answers with the output of one run, and for-each makes several: leave out one of them")
	}
	if node := r.places["answer.exit-status"]; node != nil {
		switch {
		case a.Body == BodyStream || a.Body == BodyCGI:
			r.wrong(node, "exit-status has no effect with body: %s, whose status is sent before the command ends", a.Body)
		case a.Body == BodyMessage && a.Wait == 0 && !h.OutputInResponse:
			r.wrong(node, "exit-status has no effect unless the answer waits for the run: add wait, or body: output")
		}
	}
}

func answerKey(stream bool) string {
	if stream {
		return "stream-command-output"
	}
	return "answer.body"
}
