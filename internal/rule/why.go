package rule

import "fmt"

// Why says in words which part of a rule did not hold for a delivery: the first
// that decided. It names where values come from, never what they are. It asks
// the rule again, so it is for a log that somebody reads.
func Why(rule Rule, r *Request) string {
	switch rule := rule.(type) {
	case And:
		for _, part := range rule {
			if ok, err := part.Evaluate(r); err != nil || !ok {
				return Why(part, r)
			}
		}
		return "an and holds"
	case Or:
		if len(rule) == 1 {
			return Why(rule[0], r)
		}
		return fmt.Sprintf("none of the %d rules of an or holds", len(rule))
	case Not:
		if _, err := rule.Evaluate(r); err != nil {
			return err.Error()
		}
		return "the rule in a not holds"
	case Never:
		return "a rule without content never holds"
	}
	if _, err := rule.Evaluate(r); err != nil {
		return err.Error()
	}
	switch rule := rule.(type) {
	case *value:
		return rule.parameter.String() + " is not the value asked for"
	case *regex:
		return rule.parameter.String() + " does not match the expression"
	case *addresses:
		return "the caller's address is in none of the ranges"
	case *scalr:
		return "there is no Scalr signature"
	}
	return "a match rule of an unknown type never holds"
}
