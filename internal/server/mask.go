package server

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/rule"
)

// hidden stands in a log in the place of what may let its bearer in.
const hidden = "***"

// path is the path of the request as it may be shown.
func (x *exchange) path() string {
	if x.rest == "" {
		return x.request.URL.Path
	}
	return x.shown + hidden
}

// escapedPath is path as it stands in a URL.
func (x *exchange) escapedPath() string {
	if x.rest == "" {
		return x.request.URL.EscapedPath()
	}
	return (&url.URL{Path: x.shown}).EscapedPath() + hidden
}

// target is the path and the query of the request as they may be shown.
func (x *exchange) target() string {
	if query := x.request.URL.RawQuery; query != "" {
		return x.escapedPath() + "?" + x.withoutCredentials(query)
	}
	return x.escapedPath()
}

// conceal finds what must not be shown of a path that has to be tidied first: the
// router leads such a request elsewhere, and it never comes to a hook.
func (s *Server) conceal(x *exchange) {
	tidy, ok := strings.CutPrefix(path.Clean("/"+x.request.URL.Path), s.below)
	if !ok {
		return
	}
	if _, x.rest = s.options.Hooks().Behind(tidy); x.rest != "" {
		x.shown = s.below + strings.TrimSuffix(tidy, x.rest)
	}
}

// dumpHead logs a request without its body, which is not read yet, once it is
// known what must not be shown of it.
func (x *exchange) dumpHead() {
	if !x.dump || x.headDumped {
		return
	}
	x.headDumped = true
	r := x.request
	target := r.RequestURI
	switch written, query, found := strings.Cut(target, "?"); {
	case x.rest != "":
		target = x.target()
	case found:
		target = written + "?" + x.withoutCredentials(query)
	}
	first := fmt.Sprintf("%s %s %s\nHost: %s", r.Method, target, r.Proto, r.Host)
	x.dumped("the request", x.dumpText(first, r.Header, nil))
}

// isCredential reports whether the value of a header or query parameter may let
// its bearer in: by its name, or because a hook at the path compares it.
func (x *exchange) isCredential(source delivery.Source, name string) bool {
	if delivery.CredentialName(name) != delivery.NoCredential {
		return true
	}
	for _, h := range x.hooks {
		if h.Gate != nil && h.Gate.Credential(source, name) || compares(h, source, name) {
			return true
		}
	}
	return false
}

// compares reports whether a hook's rule compares a value that not everybody knows:
// it may be what lets in, be its name as it may.
func compares(h *hook.Hook, source delivery.Source, name string) bool {
	return h.Rule != nil && !rule.IsPlainHeader(name) && rule.Compares(h.Rule, source, name)
}

// withoutCredentials hides values of a query.
func (x *exchange) withoutCredentials(query string) string {
	pairs := strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' })
	for i, pair := range pairs {
		written, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(written)
		if value != "" && (err != nil || x.isCredential(delivery.Query, name)) {
			pairs[i] = written + "=" + hidden
		}
	}
	return strings.Join(pairs, "&")
}

// dumpText writes a message as it goes over the wire. Of header lines what may
// let its bearer in is left out: logs travel.
func (x *exchange) dumpText(first string, header http.Header, body []byte) string {
	var text strings.Builder
	text.WriteString(first + "\n")
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range header[name] {
			if x.isCredential(delivery.Header, name) {
				value = hidden
			}
			fmt.Fprintf(&text, "%s: %s\n", name, x.withoutURL(value))
		}
	}
	text.WriteString("\n")
	text.Write(body)
	return text.String()
}

// withoutURL hides in a header line what stands behind a hook's path, and values
// of a query: proxies tell the URL that they were asked for, and redirections where
// to go.
func (x *exchange) withoutURL(value string) string {
	if x.rest != "" {
		value = strings.ReplaceAll(value, "/"+x.rest, "/"+hidden)
		value = strings.ReplaceAll(value, "/"+(&url.URL{Path: x.rest}).EscapedPath(), "/"+hidden)
		before := strings.TrimSuffix((&url.URL{Path: x.shown}).EscapedPath(), "/") + "/"
		if _, behind, found := strings.Cut(x.request.URL.EscapedPath(), before); found && behind != "" {
			value = strings.ReplaceAll(value, "/"+behind, "/"+hidden) // as it was written
		}
	}
	if address, query, found := strings.Cut(value, "?"); found && strings.Contains(address, "/") {
		value = address + "?" + x.withoutCredentials(query)
	}
	return value
}
