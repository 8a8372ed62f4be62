package admin

import (
	"encoding/json"
	"time"

	"github.com/pawlhq/pawl/internal/run"
)

// Run is a run as the API tells it. What is missing in JSON is zero here.
type Run struct {
	ID           string          `json:"id"`
	Hook         string          `json:"hook"`
	State        run.State       `json:"state"`
	Key          *string         `json:"key,omitempty"`     // missing where the hook has no queue.key
	Element      json.RawMessage `json:"element,omitempty"` // of for-each
	Attempt      int             `json:"attempt"`           // the number of the last one, over all of the run; 0 before the first
	Depth        int             `json:"depth,omitempty"`   // runs between it and a delivery from outside
	DeliveryID   string          `json:"delivery_id"`
	Origin       *Origin         `json:"origin,omitempty"`    // missing where a sender sent it
	Accepted     time.Time       `json:"accepted"`            // all times are UTC
	NotBefore    time.Time       `json:"not_before,omitzero"` // of a run that backs off or rests
	Started      time.Time       `json:"started,omitzero"`    // of the last attempt
	Ended        time.Time       `json:"ended,omitzero"`      // of the run
	Took         float64         `json:"took_seconds"`        // of the last attempt, until now if it goes on
	Reason       string          `json:"reason,omitempty"`    // why it ended so or waits again
	Interrupted  int             `json:"interruptions"`       // attempts that a crash or a stop cut off
	SupersededBy string          `json:"superseded_by,omitempty"`

	// What only the answer about one run has:
	Waiting  *Waiting  `json:"waiting,omitempty"`
	Attempts []Attempt `json:"attempts,omitempty"`
	Delivery *Delivery `json:"delivery,omitempty"` // without headers and body
}

// Origin says why there is a run that no sender asked for.
type Origin struct {
	Kind   run.OriginKind `json:"kind"`
	Of     string         `json:"of"`               // the delivery that was replayed, or the run that ended
	Edited bool           `json:"edited,omitempty"` // its payload was changed by hand: nobody signed it
}

// Waiting says what a run waits for.
type Waiting struct {
	For    string `json:"for"`              // in words
	Behind string `json:"behind,omitempty"` // the run that it stands behind
}

// Attempt is one started process of a run.
type Attempt struct {
	Number    int       `json:"number"`
	End       run.End   `json:"end,omitempty"`       // missing while it goes on
	ExitCode  *int      `json:"exit_code,omitempty"` // of one that exited by itself
	Signal    string    `json:"signal,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Started   time.Time `json:"started,omitzero"`
	Ended     time.Time `json:"ended,omitzero"`
	Took      float64   `json:"took_seconds"`
	Output    int64     `json:"output_bytes"`  // that are kept
	Omitted   int64     `json:"omitted_bytes"` // that are not
	Results   []Result  `json:"results,omitempty"`
	Artifacts int64     `json:"artifact_bytes"`
	HookHash  string    `json:"hook_hash,omitempty"` // of the hook as it was
}

// Result is what a script wrote to PAWL_OUTPUT as name=value.
type Result struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Artifact is a file that a script left in PAWL_ARTIFACTS.
type Artifact struct {
	Name     string    `json:"name"` // with slashes
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified,omitzero"`
}

// Artifacts is what a run left in PAWL_ARTIFACTS.
type Artifacts struct {
	Artifacts []Artifact `json:"artifacts"`
	More      bool       `json:"more,omitempty"` // there are more than are listed
}

// Listing is one page of runs, the newest first.
type Listing struct {
	Runs []Run  `json:"runs"`
	Next string `json:"next,omitempty"` // the after= of the next page; missing on the last
}

// Done tells what became of one run that something was to be done with.
type Done struct {
	ID         string   `json:"id"`
	Done       bool     `json:"done"`
	Error      string   `json:"error,omitempty"`       // why not
	DryRun     bool     `json:"dry_run,omitempty"`     // it would have been
	DeliveryID string   `json:"delivery_id,omitempty"` // of a replay: the new delivery
	Runs       []string `json:"runs,omitempty"`        // of a replay: the new runs
}

// Hook is how the runs of a hook are.
type Hook struct {
	ID       string `json:"id"`
	Loaded   bool   `json:"loaded"` // it is in a hook file; else its waiting runs are held
	Path     string `json:"path,omitempty"`
	Command  string `json:"command,omitempty"`
	At       string `json:"at,omitempty"` // file:line:column
	Waiting  int    `json:"waiting"`
	Running  int    `json:"running"`
	Failures int    `json:"failures"`         // final ones, in a row
	Paused   string `json:"paused,omitempty"` // why and by whom
}

// describe makes a Run of what an engine remembers, for now.
func describe(record *run.Record, now time.Time) Run {
	r := Run{
		ID: record.ID, Hook: record.Hook, State: record.State, Element: rawJSON(record.Element),
		Attempt: record.Attempt, Depth: record.Depth, DeliveryID: record.DeliveryID,
		Origin: describeOrigin(record.Origin), Accepted: record.Accepted.UTC(), NotBefore: utc(record.NotBefore),
		Started: utc(record.Started), Ended: utc(record.Ended), Took: max(0, record.Took(now).Seconds()),
		Reason: record.Reason, Interrupted: record.Interruptions, SupersededBy: record.SupersededBy,
	}
	if record.Key.Set {
		r.Key = &record.Key.Text
	}
	for _, attempt := range record.Attempts {
		r.Attempts = append(r.Attempts, describeAttempt(attempt, now))
	}
	return r
}

func describeAttempt(a run.Attempt, now time.Time) Attempt {
	attempt := Attempt{
		Number: a.Number, End: a.End, Signal: a.Signal, Reason: a.Reason,
		Started: utc(a.Started), Ended: utc(a.Ended), Output: a.OutputSize, Omitted: a.Omitted,
		Artifacts: a.Artifacts, HookHash: a.HookHash,
	}
	if a.End == run.Exited {
		attempt.ExitCode = &a.ExitCode
	}
	switch {
	case a.Started.IsZero():
	case a.Ended.IsZero():
		attempt.Took = max(0, now.Sub(a.Started).Seconds())
	default:
		attempt.Took = max(0, a.Ended.Sub(a.Started).Seconds())
	}
	for _, result := range a.Results {
		attempt.Results = append(attempt.Results, Result(result))
	}
	return attempt
}

func describeOrigin(o run.Origin) *Origin {
	if o.Kind == "" {
		return nil
	}
	return &Origin{Kind: o.Kind, Of: o.Of, Edited: o.Edited}
}

// rawJSON is a JSON text, or a text as JSON where it is none.
func rawJSON(text string) json.RawMessage {
	if text == "" || json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	quoted, _ := json.Marshal(text) // a string can always be marshalled
	return quoted
}

// utc leaves no time that is none with a zone.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}
