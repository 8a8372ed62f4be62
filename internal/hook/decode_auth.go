package hook

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/sender"
)

// auth reads how callers are authenticated. It reports whether they are not: the
// word none.
func (r *reader) auth(f field) (open bool) {
	switch f.value.Kind {
	case yaml.MappingNode:
		r.caller.auth = &sender.Auth{}
		r.group(f, r.authKeys(r.caller.auth))
		return false
	case yaml.ScalarNode:
		word := r.text(f)
		if word == "none" {
			return true
		}
		keys := keyNames(r.authKeys(&sender.Auth{}))
		if example := authExample(word); slices.Contains(keys, word) && example != "" {
			r.refuse(f.value, "auth is the word none, or an object: auth: %s", example)
			return false
		}
		// What stands there may be the secret itself, and is not told.
		r.refuse(f.value, "auth is the word none, or an object as in {path: {}}%s", Suggestion(word, append(keys, "none")))
	default:
		r.refuse(f.value, "auth is one object, all parts of which must pass, not %s", kindOf(f.value))
	}
	return false
}

// authExample shows how a part of auth is written.
func authExample(part string) string {
	switch part {
	case "path", "bearer":
		return "{" + part + ": {}}"
	case "header":
		return "{header: {name: X-Token}}"
	case "query":
		return "{query: {name: token}}"
	case "basic":
		return "{basic: {user: NAME}}"
	case "hmac":
		return "{hmac: {header: X-Signature}}"
	case "ed25519":
		return "{ed25519: {public-keys: [KEY]}}"
	case "oidc":
		return "{oidc: {issuer: URL, audience: TEXT}}"
	case "sns":
		return "{sns: {topics: [ARN]}}"
	case "client-certificate":
		return "{client-certificate: {ca: {file: PATH}}}"
	case "addresses":
		return "{addresses: [192.0.2.0/24]}"
	}
	return ""
}

func (r *reader) authKeys(a *sender.Auth) []key {
	empty := func(name string, into *bool) key {
		return key{name: name, of: pawls, read: func(f field) { *into = true; r.part(f, "{}: the secret is the hook's", nil) }}
	}
	return []key{
		empty("path", &a.Path),
		{name: "header", of: pawls, read: func(f field) {
			a.Header = &sender.Parameter{}
			r.part(f, "{name: X-Token}", []key{r.needed("name", &a.Header.Name, r.headerName)})
			r.need(f, "name", a.Header.Name)
		}},
		{name: "query", of: pawls, read: func(f field) {
			a.Query = &sender.Parameter{}
			r.part(f, "{name: token}", []key{r.needed("name", &a.Query.Name, r.text)})
			r.need(f, "name", a.Query.Name)
		}},
		{name: "basic", of: pawls, read: func(f field) {
			a.Basic = &sender.Basic{}
			r.part(f, "{user: pawl}", []key{r.needed("user", &a.Basic.User, r.userName)})
			r.need(f, "user", a.Basic.User)
		}},
		empty("bearer", &a.Bearer),
		{name: "hmac", of: pawls, read: func(f field) { a.HMAC = &sender.HMAC{}; r.group(f, r.hmacKeys(a.HMAC)) }},
		{name: "ed25519", of: pawls, read: func(f field) {
			a.Ed25519 = &sender.Ed25519{}
			r.group(f, []key{{name: "public-keys", of: pawls, read: func(f field) { a.Ed25519.PublicKeys = r.words(f) }}})
			r.needList(f, "public-keys", a.Ed25519.PublicKeys)
		}},
		{name: "oidc", of: pawls, read: func(f field) { a.OIDC = &sender.OIDC{}; r.group(f, r.oidcKeys(a.OIDC)) }},
		{name: "sns", of: pawls, read: func(f field) {
			a.SNS = &sender.SNS{}
			r.group(f, r.snsKeys(a.SNS))
			r.needList(f, "topics", a.SNS.Topics)
		}},
		{name: "client-certificate", of: pawls, read: func(f field) {
			a.Certificate = &sender.ClientCertificate{}
			r.group(f, r.certificateKeys(a.Certificate))
			r.need(f, "ca", a.Certificate.CAFile)
		}},
		{name: "addresses", of: pawls, read: func(f field) { a.Addresses = r.addresses(f) }},
	}
}

// part reads a part of auth. What stands there in place of an object may be the
// secret itself, and is not told.
func (r *reader) part(f field, example string, keys []key) {
	if f.value.Kind != yaml.MappingNode {
		r.refuse(f.value, "%s is an object, as in %s: %s", r.key, f.name, example)
		return
	}
	r.group(f, keys)
}

func (r *reader) hmacKeys(h *sender.HMAC) []key {
	return []key{
		r.needed("header", &h.Header, r.headerName),
		{name: "algorithms", of: pawls, read: func(f field) {
			for _, item := range r.listed(f) {
				h.Algorithms = append(h.Algorithms, r.word(field{name: "an item of algorithms", key: f.key, value: item}, "sha1", "sha256", "sha512"))
			}
		}},
		{name: "encoding", of: pawls, read: func(f field) { h.Encoding = r.word(f, "hex", "base64", "base64url") }},
		{name: "prefix", of: pawls, read: func(f field) { h.Prefix = r.text(f) }},
		r.needed("signed", &h.Signed, r.text),
		r.needed("timestamp-header", &h.TimestampHeader, r.headerName),
		{name: "timestamp-unit", of: pawls, read: func(f field) { h.TimestampUnit = r.word(f, "s", "ms") }},
		{name: "tolerance", of: pawls, read: func(f field) {
			h.Tolerance = r.duration(f)
			if h.Tolerance < time.Second {
				r.wrong(f.value, "tolerance is a second or more: the clocks of two machines differ")
			}
		}},
	}
}

func (r *reader) oidcKeys(o *sender.OIDC) []key {
	return []key{
		r.needed("issuer", &o.Issuer, r.text),
		r.needed("audience", &o.Audience, r.text),
		r.needed("email", &o.Email, r.text),
		r.fileKey("keys", &o.KeysFile),
	}
}

func (r *reader) snsKeys(s *sender.SNS) []key {
	return []key{
		{name: "topics", of: pawls, read: func(f field) { s.Topics = r.words(f) }},
		r.fileKey("certificates", &s.CertificatesFile),
	}
}

func (r *reader) certificateKeys(c *sender.ClientCertificate) []key {
	return []key{
		r.fileKey("ca", &c.CAFile),
		{name: "names", of: pawls, read: func(f field) { c.Names = r.words(f) }},
	}
}

// needed makes a key whose value is text that is not empty.
func (r *reader) needed(name string, into *string, read func(field) string) key {
	return key{name: name, of: pawls, read: func(f field) {
		if *into = read(f); *into == "" && f.value.Kind == yaml.ScalarNode {
			r.wrong(f.value, "%s is empty", r.key)
		}
	}}
}

// need tells of an object that lacks a key. One that is there and empty is told
// where it stands.
func (r *reader) need(f field, name, value string) {
	if value == "" && r.places[r.key+"."+name] == nil && (f.value.Kind == yaml.MappingNode) {
		r.wrong(f.value, "%s needs %s", r.key, name)
	}
}

func (r *reader) needList(f field, name string, values []string) {
	r.need(f, name, strings.Join(values, ""))
}

// listed gives the items of a list that must not be empty.
func (r *reader) listed(f field) []*yaml.Node {
	items := r.items(f)
	if len(items) == 0 && f.value.Kind == yaml.SequenceNode {
		r.wrong(f.value, "%s is an empty list; leave it out where nothing is to be said", f.name)
	}
	return items
}

// words reads a list of texts, none of which is empty.
func (r *reader) words(f field) []string {
	var words []string
	for _, item := range r.listed(f) {
		word := r.text(field{name: "an item of " + f.name, key: f.key, value: item})
		if word == "" && item.Kind == yaml.ScalarNode {
			r.wrong(item, "an item of %s is empty", f.name)
		}
		words = append(words, word)
	}
	return words
}

func (r *reader) headerName(f field) string {
	name := r.text(f)
	if name != "" && !isToken(name) {
		r.wrong(f.value, "%q can name no header", name)
	}
	return name
}

// userName reads the user of HTTP's Basic authentication, which ends at a colon
// (RFC 7617).
func (r *reader) userName(f field) string {
	user := r.text(f)
	if strings.Contains(user, ":") {
		r.wrong(f.value, "user: a colon ends the user's name; what comes behind it is the password, and that is secret")
	}
	return user
}

// addresses reads addresses and ranges. An IPv4 address may be written as IPv6
// has it.
func (r *reader) addresses(f field) []netip.Prefix {
	var list []netip.Prefix
	for _, item := range r.listed(f) {
		text := r.text(field{name: "an item of " + f.name, key: f.key, value: item})
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			var address netip.Addr
			if address, err = netip.ParseAddr(text); err == nil {
				address = address.Unmap()
				prefix, err = address.Prefix(address.BitLen())
			}
		} else if prefix.Addr().Is4In6() && prefix.Bits() >= 96 {
			prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
		}
		switch {
		case item.Kind != yaml.ScalarNode:
		case err != nil || prefix.Addr().Zone() != "":
			r.wrong(item, "%q is no address and no CIDR range (as in 192.0.2.0/24)", text)
		case prefix != prefix.Masked():
			r.wrong(item, "%s has bits set behind its length: write %s, or %s/%d for the one address", text, prefix.Masked(), prefix.Addr(), prefix.Addr().BitLen())
		case prefix.Bits() == 0:
			r.wrong(item, "%s is every address, which checks nothing: leave it out, or write auth: none where anyone may call", text)
		default:
			list = append(list, prefix)
		}
	}
	return list
}
