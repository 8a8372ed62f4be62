// Package hook holds hook files: it reads them, tells what is wrong with them
// and where, and makes the immutable Set that the server looks hooks up in.
//
// Everything that can be decided when a file is loaded is compiled then:
// regular expressions, ranges, methods, templates, paths. The package decides
// about no delivery and runs nothing. A loaded Hook and a Set never change; a
// reload makes new ones.
package hook

import (
	"time"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/rule"
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

	Payload        delivery.Options
	Rule           rule.Rule // nil: every delivery triggers
	SoftSignatures bool      // trigger-signature-soft-failures

	Methods      []string // in capitals; empty: those of the server
	Message      string   // response-message
	Headers      []Header // response-headers, in order
	SuccessCode  int      // 0: 200
	MismatchCode int      // 0: 200

	OutputInResponse        bool // the answer waits for the command and is its output
	OutputInResponseOnError bool

	ForEach    *delivery.Ref // one run for each element of this value; nil: one run
	DeliveryID *delivery.Ref // the sender's own id of a delivery; nil: it gives none
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

// Argument is a value that a command is given, and under which name.
type Argument struct {
	delivery.Ref
	Variable     string // envname
	Base64Decode bool   // base64decode: of files alone, as in webhook
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
