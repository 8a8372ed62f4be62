package delivery

import (
	"strings"

	"github.com/pawlhq/pawl/internal/run"
)

// Credential says whether the value of a header or a query parameter lets its
// bearer in, as far as its name tells.
type Credential int

// How sure a name makes one. Of MayBeCredential a rule that compares the value
// makes a credential.
const (
	NoCredential Credential = iota
	MayBeCredential
	IsCredential
)

// CredentialName judges the name of a header or a query parameter by its last
// word: Authorization, X-Gitlab-Token, access_token, apiKey. A signature is no
// credential: it lets in only what it signs.
func CredentialName(name string) Credential {
	name = strings.TrimRight(name, "0123456789-_.[]")
	before, word := "", name
	if cut := strings.LastIndexAny(name, "-_. []"); cut >= 0 {
		before, word = name[:cut], name[cut+1:]
	}
	if word == "" {
		return NoCredential
	}
	switch word[len(word)-1] | 0x20 { // most names end in another letter
	case 'n':
		return when(endsIn(word, "token") || endsIn(word, "authorization") || endsIn(word, "assertion"), IsCredential)
	case 't':
		return when(endsIn(word, "secret") || endsIn(word, "jwt"), IsCredential)
	case 'd':
		return when(endsIn(word, "password") || endsIn(word, "passwd") || endsIn(word, "pwd"), IsCredential)
	case 'e':
		return when(endsIn(word, "passphrase") || endsIn(word, "cookie"), IsCredential)
	case 's':
		return when(endsIn(word, "credentials") || strings.EqualFold(word, "pass"), IsCredential)
	case 'r':
		return when(strings.EqualFold(word, "bearer"), IsCredential)
	case 'a':
		return when(endsIn(before, "oidc") && strings.EqualFold(word, "data"), IsCredential) // X-Amzn-Oidc-Data
	case 'h':
		return when(endsIn(word, "auth"), MayBeCredential)
	case 'y':
		if endsIn(word, "key") {
			return keyOf(before, word[:len(word)-len("key")])
		}
	}
	return NoCredential
}

// keyOf judges a key by the word before it, or by what it is written together
// with: an API key lets its bearer in, the key of an event tells which it is.
func keyOf(before, joined string) Credential {
	if joined != "" {
		before = joined
	}
	for _, kind := range []string{"api", "access", "secret", "auth", "shared", "private", "webhook", "functions", "license", "client"} {
		if endsIn(before, kind) {
			return IsCredential
		}
	}
	for _, kind := range []string{"event", "idempotency", "issue", "project", "object", "routing", "partition", "public", "cache"} {
		if endsIn(before, kind) {
			return NoCredential
		}
	}
	return MayBeCredential
}

func when(is bool, c Credential) Credential {
	if is {
		return c
	}
	return NoCredential
}

// endsIn reports whether a word ends so, in any case.
func endsIn(word, end string) bool {
	return len(word) >= len(end) && strings.EqualFold(word[len(word)-len(end):], end)
}

// Credential judges the value that a ref names: that of a header or a query
// parameter, whole or a part of it.
func (r Ref) Credential() Credential {
	switch r.Source.canonical() {
	case Header, Query:
		head, _, _ := strings.Cut(r.Name, ".")
		return max(CredentialName(head), CredentialName(r.Name))
	}
	return NoCredential
}

// Carries reports whether a value that ref names is, or is a part of, a header
// or a query parameter.
func (r Ref) Carries(source Source, name string) bool {
	switch own := r.Source.canonical(); {
	case source == Header && own == EntireHeaders, source == Query && own == EntireQuery:
		return true
	case own != source:
		return false
	}
	same := func(a string) bool { return a == name || source == Header && strings.EqualFold(a, name) }
	head, _, _ := strings.Cut(r.Name, ".")
	return same(r.Name) || same(head)
}

// OfRun makes the Delivery that a run's values come from: with its element, and
// with the credentials that were kept for it.
func OfRun(r run.Run, options Options) *Delivery {
	options.Element = r.Element
	return New(r.Delivery.Whole(), options)
}
