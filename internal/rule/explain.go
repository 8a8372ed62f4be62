package rule

import "github.com/pawlhq/pawl/internal/delivery"

// Trace is what a rule came to for one delivery, with the rules in it.
type Trace struct {
	Kind   string // "and", "or", "not", "match", "never"
	Text   string // of a match: its type and what it compares with; secrets are not in it
	Result Result
	Why    string // in words, of one that does not hold or cannot be told
	Saw    []Seen // the values that it was asked with
	Parts  []Trace
}

// Result is what a rule came to.
type Result string

// The results of rules.
const (
	Holds    Result = "holds"
	Fails    Result = "fails"
	Errs     Result = "error"
	NotAsked Result = "not asked" // what came before it decided
)

// Seen is a value that a rule saw.
type Seen struct {
	Ref     delivery.Ref
	Value   string // a credential is masked; long ones are cut
	Missing bool
}

// Explain asks a rule as Decide does and tells what each part of it came to.
func Explain(rule Rule, r *Request) Trace { return Trace{} }
