package sender

// hints tries what else the signature could be of.
func (c *hmacCheck) hints(r *Request) []string { return nil }

func timeHints(c *clock, r *Request, given string) []string { return nil }
