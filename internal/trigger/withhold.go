package trigger

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/expression"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// Withhold gives a delivery as it may be stored and shown: in the place of each
// header and query value that lets its bearer in stands run.Withheld, by its name
// or because the Gate or the rule of one of the hooks says so. Those that a
// script of one of the hooks, which are the ones that triggered, is given stay
// in its Credentials. Signatures and the body are stored as they came.
//
// rest is the secret behind the hooks' path, "" where there is none. No script
// is given the path of a request, so nothing of it is kept; nor in header lines,
// in which proxies tell the URL that they were asked for.
//
// others are hooks at the same path that did not trigger: what lets in there is
// no less a credential.
//
// The delivery itself is not changed; one without credentials is given back.
func Withhold(d *run.Delivery, hooks []*hook.Hook, rest string, others ...*hook.Hook) *run.Delivery {
	judging := hooks
	if len(others) > 0 {
		judging = slices.Concat(hooks, others)
	}
	query := withoutCredentials(d.RawQuery, judging, nil)
	if query == d.RawQuery && rest == "" && !hasCredentials(d.Header, judging) {
		return d
	}
	stored, kept := *d, run.Credentials{}
	stored.Path = withoutRest(d.Path, rest)
	stored.Header = maps.Clone(d.Header)
	for name, values := range d.Header {
		if !isCredential(delivery.Header, name, judging) || !tellsAny(values) {
			if rest != "" {
				stored.Header[name] = withoutURL(values, rest)
			}
			continue
		}
		stored.Header[name] = []string{run.Withheld}
		if isPassedOn(delivery.Header, name, hooks) {
			if kept.Header == nil {
				kept.Header = http.Header{}
			}
			kept.Header[name] = values
		}
	}
	if stored.RawQuery = query; query != d.RawQuery {
		if partly := withoutCredentials(d.RawQuery, judging, hooks); partly != query {
			kept.RawQuery = partly
		}
	}
	if kept.Header != nil || kept.RawQuery != "" {
		stored.Credentials = &kept
	}
	return &stored
}

// withoutRest withholds what follows a hook's path; all of it where that is not
// found at its end, for then nobody knows where it stands.
func withoutRest(path, rest string) string {
	if rest == "" {
		return path
	}
	before, found := strings.CutSuffix(path, rest)
	if !found {
		return "/" + run.Withheld
	}
	return before + run.Withheld
}

// withoutURL withholds what follows a hook's path in header lines that hold a URL.
func withoutURL(values []string, rest string) []string {
	written := [...]string{"/" + rest, "/" + (&url.URL{Path: rest}).EscapedPath(), "/" + url.PathEscape(rest)}
	for _, text := range written {
		if slices.ContainsFunc(values, func(value string) bool { return strings.Contains(value, text) }) {
			values = slices.Clone(values)
			for i, value := range values {
				values[i] = strings.ReplaceAll(value, text, "/"+run.Withheld)
			}
		}
	}
	return values
}

func hasCredentials(header http.Header, hooks []*hook.Hook) bool {
	for name, values := range header {
		if isCredential(delivery.Header, name, hooks) && tellsAny(values) {
			return true
		}
	}
	return false
}

// tellsAny reports whether there is a value that is not withheld already.
func tellsAny(values []string) bool {
	return slices.ContainsFunc(values, func(value string) bool { return value != "" && value != run.Withheld })
}

// isCredential judges a header or query parameter as the hooks do; without any
// by its name.
func isCredential(source delivery.Source, name string, hooks []*hook.Hook) bool {
	for _, h := range hooks {
		if h.Credential(source, name) {
			return true
		}
	}
	return delivery.CredentialName(name) == delivery.IsCredential
}

// isPassedOn reports whether a script is given the value, or an expression sees
// it.
func isPassedOn(source delivery.Source, name string, hooks []*hook.Hook) bool {
	for _, h := range hooks {
		if set, _ := h.Payload.Expressions.(expression.Set); set.Sees(source, name) {
			return true
		}
		for _, list := range [][]hook.Argument{h.Arguments, h.Environment, h.Files} {
			if slices.ContainsFunc(list, func(a hook.Argument) bool { return a.Carries(source, name) }) {
				return true
			}
		}
		if h.Process.Stdin != nil && h.Process.Stdin.Carries(source, name) {
			return true
		}
	}
	return false
}

// withheldInQuery is run.Withheld as a query has it.
const withheldInQuery = "%5Bwithheld%5D"

// withoutCredentials withholds values of a query, the rest of which stays byte
// for byte; those that a script of one of passing is given stay too.
func withoutCredentials(raw string, hooks, passing []*hook.Hook) string {
	var b strings.Builder
	copied := 0 // what of raw is in b
	for start := 0; start < len(raw); {
		end := len(raw)
		if cut := strings.IndexAny(raw[start:], "&;"); cut >= 0 {
			end = start + cut
		}
		name, value, _ := strings.Cut(raw[start:end], "=")
		if strings.ContainsAny(name, "%+") {
			if plain, err := url.QueryUnescape(name); err == nil {
				name = plain
			}
		}
		if value != "" && value != withheldInQuery && isCredential(delivery.Query, name, hooks) &&
			!isPassedOn(delivery.Query, name, passing) {
			b.WriteString(raw[copied : end-len(value)])
			b.WriteString(withheldInQuery)
			copied = end
		}
		start = end + 1
	}
	if copied == 0 {
		return raw
	}
	b.WriteString(raw[copied:])
	return b.String()
}
