package delivery

import (
	"errors"

	"github.com/pawlhq/pawl/internal/run"
)

// known is what a Delivery knows by its Options' Sender and Expressions.
type known struct {
	event     string
	asked     bool // event is known, or being found out
	workspace any
}

func (d *Delivery) knows() *known {
	if d.known == nil {
		d.known = &known{}
	}
	return d.known
}

// SenderName is the name of the preset of the hook's sender, "" where the hook
// names none.
func (d *Delivery) SenderName() string {
	s := d.sender()
	if s == nil {
		return ""
	}
	return s.SenderName()
}

// sender is the hook's sender, nil for what Pawl itself made of a run's end: the
// hook that follows from it may name a sender that calls it besides.
func (d *Delivery) sender() Sender {
	if d.options.Sender == nil || d.isFollowing() {
		return nil
	}
	return d.options.Sender
}

func (d *Delivery) isFollowing() bool {
	return d.Origin.Kind == run.OnFailure || d.Origin.Kind == run.OnSuccess
}

// EventType is what the sender calls what happened; "" where that is not known.
// Of what Pawl made of a run's end it is on-failure or on-success.
// It is found out once. To an expression that itself says where the event type
// is (event-type), it is "".
func (d *Delivery) EventType() string {
	if d.isFollowing() {
		return string(d.Origin.Kind)
	}
	s := d.sender()
	if s == nil {
		return ""
	}
	k := d.knows()
	if !k.asked {
		k.asked = true
		k.event = s.EventType(d)
	}
	return k.event
}

// SenderID is the sender's own id of the delivery; "" where it gives none.
func (d *Delivery) SenderID() string {
	s := d.sender()
	if s == nil {
		return ""
	}
	return s.SenderID(d)
}

// Envelope is the delivery as it came, where the sender wraps its message: its
// values are those of the body, read as JSON whatever its content type says.
func (d *Delivery) Envelope() *Delivery {
	return New(d.Delivery, Options{ContentType: "application/json"})
}

// Workspace is a place where Expressions keeps what it made of the delivery, for
// as long as that is used; nil at first.
func (d *Delivery) Workspace() *any { return &d.knows().workspace }

// ExpressionError says why the value of an expression cannot be told: the
// delivery does not fit the hook. No value of the delivery is in it.
type ExpressionError struct {
	Expression string
	Err        error
}

func (e *ExpressionError) Error() string { return e.Err.Error() + ", in " + e.Expression }

func (e *ExpressionError) Unwrap() error { return e.Err }

// IsUnfit reports whether err is of a delivery that does not fit: an expression
// cannot be told, or a value not be taken apart.
func IsUnfit(err error) bool {
	if err == nil {
		return false // nothing is allocated for those that fit
	}
	var expression *ExpressionError
	var elements *ElementsError
	return errors.As(err, &expression) || errors.As(err, &elements)
}

// computed works the value of an expression out.
func (d *Delivery) computed(ref Ref) (string, error) {
	if d.options.Expressions == nil {
		return "", errors.New("source cel: the hook has no expression of that text")
	}
	value, err := d.options.Expressions.Value(d, ref.Name)
	if err == nil || IsMissing(err) {
		return value, err
	}
	return "", &ExpressionError{Expression: ref.Name, Err: err}
}
