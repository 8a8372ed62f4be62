package rule

func hints(rule Rule, r *Request, ok bool, err error) []string { return nil }
