package hook

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/pawlhq/pawl/internal/delivery"
)

// Queue says when a hook's runs start. The zero value bounds nothing.
type Queue struct {
	Set           bool           // the hook has a queue group, if an empty one
	Key           []delivery.Ref // what groups runs that must not overlap; none: nothing does
	MaxConcurrent int            // runs of this hook at a time; 0: no limit of its own
	MaxQueued     int            // runs of this hook that wait; 0: no limit
	DropOldest    bool           // overflow: the oldest waiting run goes, instead of refusing the newest
	Coalesce      bool           // of a key's waiting runs only the newest stays
	Debounce      time.Duration  // how long a key rests before its run starts; only with Coalesce
	Rate          Rate
	Priority      int           // higher first, among hooks
	Expire        time.Duration // a run that waited longer fails; 0: never
	PauseAfter    int           // final failures in a row after which the hook is paused; 0: never
}

// Rate bounds starts of attempts: Starts in any Per. The zero value does not.
type Rate struct {
	Starts int
	Per    time.Duration
}

// Retry says what happens after an attempt that failed.
type Retry struct {
	Set           bool
	Attempts      int           // at most, the first included; 1: no retry
	Backoff       time.Duration // before the second attempt; it doubles each time
	MaxBackoff    time.Duration
	ExitCodes     []int // that are retried; with Timeout and Signal; none of the three: any failure
	Timeout       bool  // exit-codes holds "timeout"
	Signal        bool  // exit-codes holds "signal"
	Interruptions int   // how often a run that a crash or a stop cut off starts again
}

// Answer says what the sender gets. The zero value is webhook's answer.
type Answer struct {
	Set        bool
	Wait       time.Duration // for the end of the runs; 0: not at all
	Body       AnswerBody
	ExitStatus map[int]int // exit code to HTTP status
	OtherExit  int         // status for exit codes that ExitStatus lacks ("*"); 0: as without exit-status
}

// AnswerBody is a kind of answer.
type AnswerBody string

// The kinds of answers.
const (
	BodyMessage AnswerBody = ""       // the hook's response-message
	BodyOutput  AnswerBody = "output" // the command's output, when it has ended
	BodyStream  AnswerBody = "stream" // the command's output as it comes
	BodyCGI     AnswerBody = "cgi"    // the same, beginning with Status: and header lines
)

// Live reports whether the answer is made of the output of the first attempt.
func (a Answer) Live() bool { return a.Body != BodyMessage }

// Keep says what is kept of a hook's runs, and how long.
type Keep struct {
	Runs      int           // ended runs
	Age       time.Duration // since a run's end
	Output    int64         // bytes of output of one attempt, head and tail
	Artifacts int64         // bytes of artifacts of one run
}

// Inherit says what a script inherits of Pawl's environment.
type Inherit struct {
	Set   bool     // the hook says so; otherwise it inherits all
	Names []string // a * stands for any characters
	Vars  []string // NAME=value, set besides
}

// What a hook gets that does not say otherwise.
const (
	DefaultKillGrace     = 10 * time.Second
	DefaultKeepOutput    = 1 << 20
	DefaultKeepArtifacts = 100 << 20
	DefaultKeepRuns      = 1000
	DefaultKeepAge       = 720 * time.Hour
	DefaultBackoff       = 10 * time.Second
	DefaultMaxBackoff    = 10 * time.Minute
	DefaultInterruptions = 3 // with a queue or retry group, else none
)

// Hash tells one definition of a hook from another, in 12 hexadecimal digits.
func (h *Hook) Hash() string { return h.hash }

// hashOf makes a hook's Hash of its text in the hook file.
func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}
