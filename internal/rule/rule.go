// Package rule holds trigger rules: the and/or/not/match trees that decide
// whether a delivery triggers its hook.
//
// A rule is compiled once, when its hook file is loaded, and evaluated for each
// delivery; it is immutable and may be evaluated from any number of goroutines.
// What cannot be compiled (a regular expression, a range) is a Problem for
// whoever reads the hook file, and an error of each evaluation that comes to it.
//
// The package reads no files and knows no hooks. Its logic is webhook's
// (https://github.com/adnanh/webhook/blob/master/docs/Hook-Rules.md), errors
// included: a value that is missing is an error, which an or passes over and
// which ends an and.
package rule

import (
	"errors"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
)

// Rule decides about a delivery.
type Rule interface {
	// Evaluate reports whether the rule holds, and what is in the way. A hook's
	// rule is asked by Decide, which knows what the errors mean.
	Evaluate(*Request) (bool, error)

	// guards adds what the rule checks about callers.
	guards([]Guard) []Guard
}

// Request is a delivery as rules see it.
type Request struct {
	*delivery.Delivery

	// SoftSignatures makes an or pass over a signature that is wrong
	// (trigger-signature-soft-failures).
	SoftSignatures bool

	// Replayed says that nobody is to be authenticated: a person sends a stored
	// delivery again, or Pawl itself makes one. What checks who calls then holds:
	// signatures, addresses, comparisons of credentials; of the latter two the not
	// as well, which keeps single callers out. Of a value that only a
	// rule makes one (delivery.MayBeCredential) a comparison holds where it was
	// withheld or nobody sent it. All else is asked.
	Replayed bool

	// negated says that an odd number of nots stands around the rule that is
	// asked.
	negated bool
}

// vouched reports whether a comparison of a value need not be asked, for it
// would only say who calls.
func (r *Request) vouched(parameter delivery.Ref, got string, err error) bool {
	switch {
	case !r.Replayed:
		return false
	case parameter.Source == delivery.Request:
		return strings.EqualFold(parameter.Name, "remote-addr")
	}
	switch parameter.Credential() {
	case delivery.IsCredential:
		return true
	case delivery.MayBeCredential:
		return got == run.Withheld || delivery.IsMissing(err)
	}
	return false
}

// And holds when all of its rules do. An empty And holds.
type And []Rule

// Evaluate asks one rule after the other until one fails.
func (and And) Evaluate(r *Request) (bool, error) {
	for _, rule := range and {
		if ok, err := rule.Evaluate(r); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// Or holds when one of its rules does. An empty Or does not.
type Or []Rule

// Evaluate asks one rule after the other until one holds. A missing value does
// not end it, and neither does a wrong signature where signatures fail softly;
// the error is then a softError.
//
// With soft failures webhook lets the not of a wrong signature hold, which
// admits everyone who signs wrongly. Here no signature that was passed over
// counts as true, neither in this rule nor in a not around it.
func (or Or) Evaluate(r *Request) (bool, error) {
	var passed error
	for _, rule := range or {
		ok, err := rule.Evaluate(r)
		var wrong *SignatureError
		switch {
		case err == nil || delivery.IsMissing(err):
			if ok {
				return true, nil
			}
		case r.SoftSignatures && errors.As(err, &wrong):
			passed = softError{wrong}
		default:
			return false, err
		}
	}
	return false, passed
}

// softError is a wrong signature that an or has passed over.
type softError struct{ *SignatureError }

func (e softError) Unwrap() error { return e.SignatureError }

// Decide asks the whole rule of a hook whether a delivery triggers it. With an
// error that cannot be decided: a signature is wrong, an expression cannot be
// compiled.
//
// A value that is missing may let a rule hold, as in webhook, where the not of a
// missing value is true.
func Decide(rule Rule, r *Request) (bool, error) {
	ok, err := rule.Evaluate(r)
	var soft softError
	switch {
	case errors.As(err, &soft):
		return false, nil
	case err != nil && !delivery.IsMissing(err):
		return false, err
	}
	return ok, nil
}

// Not holds when its rule does not.
type Not struct{ Rule Rule }

// Evaluate turns the answer round and passes the error on.
func (not Not) Evaluate(r *Request) (bool, error) {
	r.negated = !r.negated
	ok, err := not.Rule.Evaluate(r)
	r.negated = !r.negated
	return !ok, err
}

// Never is a rule without content. It does not hold.
type Never struct{}

// Evaluate is always false.
func (Never) Evaluate(*Request) (bool, error) { return false, nil }
