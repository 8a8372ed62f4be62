// Package hook holds hook files: it reads them, tells what is wrong with them
// and where, and makes the immutable Set that the server looks hooks up in.
//
// Everything that can be decided when a file is loaded is compiled then:
// regular expressions, ranges, methods, templates, paths. The package decides
// about no delivery and runs nothing. A loaded Hook and a Set never change; a
// reload makes new ones.
package hook

import (
	"regexp"
	"time"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/expression"
	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/secret"
	"github.com/pawlhq/pawl/internal/sender"
)

// Hook is one entry of a hook file: an endpoint, its checks, its command.
type Hook struct {
	ID   string
	Path string // of its URL below the prefix: the id unless the file says otherwise
	At   Position

	Command   string // execute-command, as written
	Directory string // command-working-directory; "" is the server's

	Arguments   []Argument // pass-arguments-to-command
	Environment []Argument // pass-environment-to-command
	Files       []Argument // pass-file-to-command

	// Sender is the preset of the system that calls; nil where the hook names
	// neither sender nor auth. Payload.Sender reads deliveries as it writes them.
	Sender *sender.Sender
	Gate   *sender.Gate // who may call; nil: nobody is asked, but by Rule
	Open   bool         // auth: none: the hook says that anyone may call

	Payload        delivery.Options
	Rule           rule.Rule           // nil: every delivery triggers
	SoftSignatures bool                // trigger-signature-soft-failures
	Events         []string            // event types that trigger; empty: all
	When           *expression.Program // nil: no condition besides Rule
	Bounds         []Bound             // what values must be like

	Methods      []string // in capitals; empty: those of the server
	Message      string   // response-message
	Headers      []Header // response-headers, in order
	SuccessCode  int      // 0: 200
	MismatchCode int      // 0: 200

	OutputInResponse        bool // the answer waits for the command and is its output
	OutputInResponseOnError bool

	ForEach    *delivery.Ref // one run for each element of this value; nil: one run
	DeliveryID *delivery.Ref // where the sender's own id of a delivery is (delivery-id); nil: Payload.Sender knows, if any
	EventType  *delivery.Ref // where its event type is (event-type); the same
	Dedupe     time.Duration // a DeliveryID seen within this time runs nothing again; 0: off

	Queue     Queue
	Process   Process
	Retry     Retry
	Answer    Answer
	Keep      Keep
	OnFailure string // the id of the hook that runs when a run has failed for good
	OnSuccess string // the same, when one has succeeded

	// Own reports whether the entry has a key that webhook does not know. Such
	// a hook was written for Pawl, and whatever is wrong with it refuses its
	// file.
	Own bool

	hash                 string
	failureAt, successAt Position // of OnFailure and OnSuccess
}

// Bound is what a value of a delivery must be like. What does not fit refuses
// the delivery before anything runs; of an element of for-each its run alone.
type Bound struct {
	delivery.Ref
	Pattern   *regexp.Regexp // matches whole values; nil: any
	Written   string         // the pattern as the hook file has it
	MaxLength int            // in characters; 0: any
	Of        string         // the key whose value it is: "pass-arguments-to-command"
	At        Position
}

// Argument is a value that a command is given, and under which name.
type Argument struct {
	delivery.Ref
	Secret       *secret.Set // of source string: the value is a secret; nil: it is Name
	Variable     string      // envname
	Base64Decode bool        // base64decode: of files alone, as in webhook
}

// Header is one header line of an answer.
type Header struct{ Name, Value string }

// Process says how a hook's command runs.
type Process struct {
	Timeout       time.Duration // 0: none
	KillGrace     time.Duration // between SIGTERM and SIGKILL
	StopLeftovers bool          // what the command left running ends with it
	Stdin         *delivery.Ref // what the command reads; nil: nothing
	Inherit       Inherit
}
