package expression

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/pawlhq/pawl/internal/delivery"
)

// activation gives an expression its variables.
type activation struct {
	delivery *delivery.Delivery
	state    *state
	element  ref.Val
}

func (a *activation) ResolveName(name string) (any, bool) {
	switch name {
	case "payload":
		return a.state.payloadOf(a.delivery), true
	case "headers":
		return &texts{values: a.delivery.Header, header: true, meter: &a.state.meter}, true
	case "query":
		return &texts{values: a.delivery.QueryTexts(), meter: &a.state.meter}, true
	case "method":
		return types.String(a.delivery.Method), true
	case "sender":
		return types.String(a.delivery.SenderName()), true
	case "event":
		return types.String(a.delivery.EventType()), true
	case "element":
		if a.element == nil {
			node, _ := a.delivery.ElementNode() // without: null
			a.element = valueOf(node, &a.state.meter)
		}
		return a.element, true
	}
	return nil, false
}

func (a *activation) Parent() cel.Activation { return nil }
