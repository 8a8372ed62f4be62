package trigger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// MaxDepth is how many runs may follow one from another, by on-failure and
// on-success, after one of a delivery from outside.
const MaxDepth = 4

// maxTail is how many bytes of a run's output the hook that follows is given.
// Together with the rest it must fit into one argument or variable of a script
// (128 KiB on Linux) even where JSON escapes most of it.
const maxTail = 16 << 10

// maxElement is how many bytes of JSON an element may have that the hook that
// follows is given: a sender chooses its length, and must not be able to keep
// people from being told.
const maxElement = 16 << 10

// Follow makes what follows from the end of a run: the delivery and the runs of
// the hook that its hook names in on-failure or on-success, with the run's
// record as payload. It reports false where nothing follows: the hook names
// none, the named one is gone or its rule does not hold, the runs would be too
// deep. set gives the hook of an id that is in force, or nil.
//
// It is given the same ids again for the same end, so that an end that is
// recorded twice starts nothing twice.
func Follow(r *run.Record, set func(id string) *hook.Hook, now time.Time) (run.Submission, bool) {
	next, kind := follower(r, set)
	if next == nil || r.Depth >= MaxDepth {
		return run.Submission{}, false
	}
	payload, err := payloadOf(r, kind)
	if err != nil {
		return run.Submission{}, false // it holds nothing that JSON has not
	}
	ids := source{kind: kind, run: r, at: now}
	d := recordOf(next, payload, kind, r.ID, now)
	d.ID = ids.id(0)
	v := Ask(next, d, Mode{Replayed: true})
	if v.Kind != Triggered {
		return run.Submission{}, false
	}
	for i := range v.Part.Runs {
		v.Part.Runs[i].ID = ids.id(i + 1)
		v.Part.Runs[i].Depth = r.Depth + 1
	}
	v.Part.MustAccept = true // the end of a run cannot be refused
	d.SenderID = v.Part.SenderID
	return run.Submission{Delivery: d, Parts: []run.Part{v.Part}}, true
}

// Lost says why nothing follows from the end of a run though its hook names a hook
// for it: that one is gone, cannot take the record, or the runs would be too deep.
// It is "" where nothing is lost: none is named, its rule does not hold, or Follow
// makes its runs.
func Lost(r *run.Record, set func(id string) *hook.Hook, now time.Time) string {
	h := set(r.Hook)
	if h == nil {
		return ""
	}
	id := map[run.State]string{run.Failed: h.OnFailure, run.Succeeded: h.OnSuccess}[r.State]
	next, kind := follower(r, set)
	switch {
	case id == "":
		return ""
	case next == nil:
		return fmt.Sprintf("hook %q is in no hook file any more", id)
	case r.Depth >= MaxDepth:
		return fmt.Sprintf("hook %q would be number %d in a line of runs that follow one from another, of which there are at most %d", id, r.Depth+1, MaxDepth)
	}
	payload, err := payloadOf(r, kind)
	if err != nil {
		return err.Error()
	}
	d := recordOf(next, payload, kind, r.ID, now)
	if v := Ask(next, d, Mode{Replayed: true}); v.Kind == Refused || v.Kind == Failed {
		return fmt.Sprintf("hook %q cannot take it: %s", id, v.Why())
	}
	return ""
}

// recordOf is the delivery, without an id, that tells a hook of the end of a run.
func recordOf(next *hook.Hook, payload []byte, kind run.OriginKind, of string, now time.Time) *run.Delivery {
	return &run.Delivery{
		Received: now, Method: http.MethodPost, Path: next.Path,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   payload,
		Origin: run.Origin{Kind: kind, Of: of},
	}
}

// follower is the hook that follows from a run's end, or nil.
func follower(r *run.Record, set func(id string) *hook.Hook) (*hook.Hook, run.OriginKind) {
	h := set(r.Hook)
	if h == nil {
		return nil, ""
	}
	var id string
	var kind run.OriginKind
	switch r.State {
	case run.Failed:
		id, kind = h.OnFailure, run.OnFailure
	case run.Succeeded:
		id, kind = h.OnSuccess, run.OnSuccess
	}
	if id == "" {
		return nil, ""
	}
	return set(id), kind
}

// source makes the ids of what follows from one end of a run.
type source struct {
	kind run.OriginKind
	run  *run.Record
	at   time.Time
}

// id makes a UUIDv7 (RFC 9562) of the time of the end and what it is the end of.
// The number orders those of one end.
func (s source) id(number int) string {
	at := s.run.Ended
	if at.IsZero() {
		at = s.at
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d %d", s.kind, s.run.ID, attempts(s.run), number))
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16|7<<12|uint64(number)&0xfff)
	copy(id[8:], sum[:8])
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

// attempts counts a run's attempts. A run that a person had tried again ends
// after more of them.
func attempts(r *run.Record) int { return max(r.Attempt, len(r.Attempts)) }

// payload is the record of a run as a hook that follows gets it
// (docs/hooks.md).
type payload struct {
	Event         run.OriginKind    `json:"event"`
	Run           string            `json:"run_id"`
	Hook          string            `json:"hook_id"`
	Delivery      string            `json:"delivery_id"`
	State         run.State         `json:"state"`
	Reason        string            `json:"reason"`
	Attempt       int               `json:"attempt"`
	Interruptions int               `json:"interruptions"`
	End           run.End           `json:"end,omitempty"`
	ExitCode      *int              `json:"exit_code,omitempty"`
	Signal        string            `json:"signal,omitempty"`
	Accepted      time.Time         `json:"accepted,omitzero"`
	Started       time.Time         `json:"started,omitzero"`
	Ended         time.Time         `json:"ended,omitzero"`
	Seconds       float64           `json:"seconds"`
	Key           string            `json:"key,omitempty"`
	Element       json.RawMessage   `json:"element,omitempty"`
	Results       map[string]string `json:"results"`
	Output        string            `json:"output"`
	Omitted       int64             `json:"output_omitted"`
	Origin        *origin           `json:"origin,omitempty"`
}

type origin struct {
	Kind   run.OriginKind `json:"kind"`
	Of     string         `json:"of"`
	Edited bool           `json:"edited"`
}

func payloadOf(r *run.Record, kind run.OriginKind) ([]byte, error) {
	p := payload{
		Event: kind, Run: r.ID, Hook: r.Hook, Delivery: r.DeliveryID, State: r.State, Reason: clean(r.Reason),
		Attempt: attempts(r), Interruptions: r.Interruptions,
		Accepted: r.Accepted.UTC(), Started: r.Started.UTC(), Ended: r.Ended.UTC(),
		Key: clean(r.Key.Text), Results: map[string]string{},
	}
	if len(r.Element) <= maxElement && json.Valid([]byte(r.Element)) {
		p.Element = json.RawMessage(r.Element)
	}
	if r.Origin.Kind != "" {
		p.Origin = &origin{r.Origin.Kind, r.Origin.Of, r.Origin.Edited}
	}
	if n := len(r.Attempts); n > 0 {
		last := &r.Attempts[n-1]
		p.End, p.Signal = last.End, last.Signal
		if last.End == run.Exited {
			p.ExitCode = &last.ExitCode
		}
		p.Seconds = max(0, last.Ended.Sub(last.Started).Seconds())
		for _, result := range last.Results {
			p.Results[clean(result.Name)] = clean(result.Value)
		}
		p.Output, p.Omitted = tail(last.Outcome)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(p); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// tail gives the end of an output, and how many bytes came before it. Where the
// middle of the output was left out, it begins after that.
func tail(o run.Outcome) (text string, before int64) {
	from := max(0, len(o.Output)-maxTail)
	if o.Omitted > 0 {
		from = max(from, min(o.Head, len(o.Output)))
	}
	for range utf8.UTFMax - 1 { // no half of a character at the beginning
		if from > 0 && from < len(o.Output) && !utf8.RuneStart(o.Output[from]) {
			from++
		}
	}
	return clean(string(o.Output[from:])), int64(from) + o.Omitted
}

// clean makes a text that JSON and the arguments of a script can hold: UTF-8
// without NUL.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
