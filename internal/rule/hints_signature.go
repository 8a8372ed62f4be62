package rule

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
)

// signed tries what else a signature could be of: another algorithm, a secret
// with or without a line end, another writing, another text. What would be right
// is never told, only which mistake it is.
func (l *hintList) signed(s *signature, r *Request, err error) {
	var wrong *SignatureError
	if delivery.IsMissing(err) {
		l.unsigned(s, r)
		l.missing(s.parameter, r, err)
		return
	}
	if !errors.As(err, &wrong) || s.secret.Empty() {
		return
	}
	got, _ := r.Value(s.parameter)
	got = strings.TrimSpace(got)
	if algorithm, _, ok := strings.Cut(got, "="); ok && algorithm != s.algorithm && newHash(algorithm) != nil {
		l.add("%s holds an HMAC-%s, and the rule asks for an HMAC-%s: use type payload-hmac-%s, or the header that holds the other (X-Hub-Signature: sha1, X-Hub-Signature-256: sha256)",
			s.parameter, strings.ToUpper(algorithm), strings.ToUpper(s.algorithm), algorithm)
	}
	switch text := s.mistake(got, r); {
	case text != "":
		l.add("%s", text)
	case len(l.texts) == 0:
		l.add("no usual mistake makes this signature: the sender has another secret, or the body was changed on the way")
	}
}

// mistake names the first mistake by which a signature is what it is, or "".
func (s *signature) mistake(got string, r *Request) string {
	secret := s.secret.Reveal()
	for _, algorithm := range []string{s.algorithm, "sha256", "sha1", "sha512"} {
		is := func(secret string, body []byte) bool { return signs(got, algorithm, secret, body) }
		other := ""
		if algorithm != s.algorithm {
			other = ", as an HMAC-" + strings.ToUpper(algorithm) + " (type payload-hmac-" + algorithm + ")"
		}
		trimmed := strings.TrimSpace(secret)
		switch {
		case other != "" && is(secret, r.Body):
			return "the secret is right, and the signature is an HMAC-" + strings.ToUpper(algorithm) + ": use type payload-hmac-" + algorithm
		case other == "" && is(secret, r.Body):
			return "the signature is right, but written in another way (capitals, base64 or without its prefix): this rule reads small hexadecimal letters"
		case trimmed != secret && is(trimmed, r.Body):
			return "the signature is right for the secret without the white space around it: the rule's secret has a line end or a blank too many" + other
		case is(secret+"\n", r.Body):
			return "the signature is right for the secret with a line end behind it: the sender's secret was pasted or read from a file with its line end" + other
		case is(secret, []byte(strings.TrimRight(string(r.Body), "\r\n"))):
			return "the signature is right for the body without the line end behind it: something on the way has added one" + other
		case is(secret, append(r.Body[:len(r.Body):len(r.Body)], '\n')):
			return "the signature is right for the body with a line end behind it: it was lost on the way" + other
		case is(secret, formPayload(r)):
			return "the signature is that of the form's field payload, and not of the body" + other
		}
	}
	return ""
}

// signs reports whether a text is the signature, in any usual writing.
func signs(got, algorithm, secret string, body []byte) bool {
	if body == nil {
		return false
	}
	mac := hmac.New(newHash(algorithm), []byte(secret))
	mac.Write(body)
	sum := mac.Sum(nil)
	for part := range strings.SplitSeq(got, ",") {
		part = strings.TrimSpace(part)
		if _, behind, found := strings.Cut(part, "="); found && behind != "" && strings.Trim(behind, "=") != "" {
			part = behind
		}
		for _, want := range []string{hex.EncodeToString(sum), base64.RawStdEncoding.EncodeToString(sum), base64.RawURLEncoding.EncodeToString(sum)} {
			if equal(strings.TrimRight(part, "="), want) || equal(strings.ToLower(part), want) {
				return true
			}
		}
	}
	return false
}

// formPayload is the field payload of a form, nil where there is none.
func formPayload(r *Request) []byte {
	if !strings.Contains(r.Header.Get("Content-Type"), "x-www-form-urlencoded") {
		return nil
	}
	values, err := url.ParseQuery(string(r.Body))
	if err != nil || !values.Has("payload") {
		return nil
	}
	return []byte(values.Get("payload"))
}

// unsigned says which header holds a signature where the rule looks at one that
// is not there.
func (l *hintList) unsigned(s *signature, r *Request) {
	if s.parameter.Source != delivery.Header {
		return
	}
	for _, name := range signatureHeaders() {
		if name == textproto.CanonicalMIMEHeaderKey(s.parameter.Name) || len(r.Header[http.CanonicalHeaderKey(name)]) == 0 {
			continue
		}
		l.add("there is no %s, but the request has a header %s: name that, with the type that fits it", s.parameter, name)
		return
	}
	l.add("the request has no signature: the sender has no secret set, or signs in another way")
}

// signatureHeaders are where senders put signatures of bodies, as net/http
// spells them.
func signatureHeaders() []string {
	return []string{
		"X-Hub-Signature-256", "X-Hub-Signature", "X-Gitea-Signature", "X-Forgejo-Signature", "X-Gogs-Signature",
		"X-Signature", "X-Signature-256", "X-Webhook-Signature", "X-Nexus-Webhook-Signature", "Webhook-Signature",
	}
}
