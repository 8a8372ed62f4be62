package sender

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The usual mistakes are named, and the secret never is.
func TestHints(t *testing.T) {
	const key, text = "s3cret-key", `{"a": 1}`
	const whsec = "whsec_c2VjcmV0LWtleS1vZi0yNC1ieXRlcyE="
	own := Config{Secret: secrets(key), Auth: &Auth{HMAC: &HMAC{Header: "X-S"}}}
	timed := Config{Secret: secrets(key), Auth: &Auth{HMAC: &HMAC{Header: "X-S", Signed: "{timestamp}.{body}", TimestampHeader: "X-T"}}}
	hub := Config{Sender: github(), Secret: secrets(key)}
	standard := Config{Sender: standardWebhooks(), Secret: secrets(whsec)}
	auth := func(a Auth) Config { return Config{Secret: secrets(key), Auth: &a} }
	form := "payload=" + url.QueryEscape(text)
	now := request().Received
	at := fmt.Sprint(now.Unix())
	content := func(r *Request) {
		if r.Body == nil {
			r.Body = []byte(text)
		}
	}
	v1 := func(key string) string {
		return "Webhook-Signature: v1," + base64.StdEncoding.EncodeToString(mac("sha256", key, "m."+at+"."+text))
	}
	for _, c := range []struct {
		name   string
		config Config
		r      *Request
		want   []string // words of the one hint; none: there is none
	}{
		{"right", own, request("X-S: " + hexOf("sha256", key, text)), nil},
		{"nothing known", own, request("X-S: " + hexOf("sha256", "other", text)), []string{"no usual mistake", "another secret"}},
		{"another algorithm", own, request("X-S: " + hexOf("sha1", key, text)), []string{"algorithm sha1"}},
		{"a line end in the secret", own, request("X-S: " + hexOf("sha256", key+"\n", text)), []string{"line end after it"}},
		{"a Windows line end in the secret", own, request("X-S: " + hexOf("sha256", key+"\r\n", text)), []string{`\r\n`}},
		{"a prefix that is not wanted", own, request("X-S: sha256=" + hexOf("sha256", key, text)), []string{"has sha256= before it"}},
		{"no prefix", hub, request("X-Hub-Signature-256: " + hexOf("sha256", key, text)), []string{"nothing before it where sha256="}},
		{"another header", own, request("X-Signature: " + hexOf("sha256", key, text)), []string{"stands in header X-Signature"}},
		{"upper case", own, request("X-S: " + strings.ToUpper(hexOf("sha256", key, text))), []string{"upper case"}},
		{"base64", own, request("X-S: " + base64.StdEncoding.EncodeToString(mac("sha256", key, text))), []string{"written in base64"}},
		{"two mistakes", own, request("X-Sig: sha1=" + hexOf("sha1", key, text)), []string{"algorithm sha1", "header X-Sig", "sha1= before it"}},
		{"the old signature alone", hub, request("X-Hub-Signature: sha1=" + hexOf("sha1", key, text)), []string{"algorithm sha1, in header X-Hub-Signature", "algorithms: [sha1]"}},
		{"a form's field", hub, request("Content-Type: application/x-www-form-urlencoded", "X-Hub-Signature-256: sha256="+hexOf("sha256", key, text)).with(body(form)), []string{"field payload"}},
		{"a body without its line end", own, request("X-S: " + hexOf("sha256", key, text)).with(body(text + "\n")), []string{"without the line end"}},
		{"a body that was written anew", own, request("X-S: " + hexOf("sha256", key, `{"a":1}`)), []string{"without white space"}},
		{"the key in base64", Config{Secret: secrets("c2VjcmV0"), Auth: own.Auth}, request("X-S: " + hexOf("sha256", "secret", text)), []string{"means in base64"}},
		{"the key in hexadecimal", Config{Secret: secrets("736563726574"), Auth: own.Auth}, request("X-S: " + hexOf("sha256", "secret", text)), []string{"means in hexadecimal"}},

		{"a time in milliseconds", timed, request("X-T: "+at+"000", "X-S: 00"), []string{"in milliseconds"}},
		{"a date", timed, request("X-T: "+now.Format(time.RFC3339), "X-S: 00"), []string{"date in text"}},
		{"the time is not covered", timed, request("X-T: "+at, "X-S: "+hexOf("sha256", key, text)), []string{"covers the body alone"}},
		{"right, but old", timed, request("X-T: 1700000000", "X-S: "+hexOf("sha256", key, "1700000000."+text)), []string{"the signature itself is right"}},

		{"the whole text whsec_", standard, request("Webhook-Id: m", "Webhook-Timestamp: "+at, v1(whsec)), []string{"whole text whsec_"}},
		{"the text after whsec_", standard, request("Webhook-Id: m", "Webhook-Timestamp: "+at, v1(strings.TrimPrefix(whsec, "whsec_"))), []string{"after whsec_ as it stands"}},
		{"the meaning of whsec_", Config{Sender: stripe(), Secret: secrets(whsec)},
			request("Stripe-Signature: t=" + at + ",v1=" + hexOf("sha256", "secret-key-of-24-bytes!", at+"."+text)), []string{"means in base64"}},
		{"a token in place of a signature", Config{Sender: gitlab(), Secret: secrets(whsec)}, request("X-Gitlab-Token: t"), []string{"not signed"}},

		{"a Bearer token for Basic", auth(Auth{Basic: &Basic{"u"}}), request("Authorization: Bearer " + key), []string{"as Authorization: Bearer"}},
		{"Basic for a Bearer token", auth(Auth{Bearer: true}), request(basic("u:" + key)), []string{"as the password of Basic"}},
		{"no scheme", auth(Auth{Bearer: true}), request("Authorization: " + key), []string{"whole value of header Authorization"}},
		{"the query for a header", auth(Auth{Header: &Parameter{"X-Token"}}), request().with(func(r *Request) { r.RawQuery = "token=" + key }), []string{"in the URL's parameter token"}},
		{"a header for the query", auth(Auth{Query: &Parameter{"token"}}), request("X-Token: " + key), []string{"header X-Token"}},
		{"the path for a header", auth(Auth{Header: &Parameter{"X-Token"}}), request().with(func(r *Request) { r.Rest = key }), []string{"behind the hook's path"}},
		{"a slash after the path", auth(Auth{Path: true}), request().with(func(r *Request) { r.Rest = key + "/" }), []string{"a slash after it"}},
		{"another case", auth(Auth{Header: &Parameter{"X-Token"}}), request("X-Token: " + strings.ToUpper(key)), []string{"letters' case"}},
		{"escaped twice", Config{Secret: secrets("a/b"), Auth: &Auth{Query: &Parameter{"t"}}}, request().with(func(r *Request) { r.RawQuery = "t=a%252Fb" }), []string{"percent-encoded"}},
		{"white space in the secret", Config{Secret: secrets(key + " "), Auth: &Auth{Header: &Parameter{"X-T"}}}, request("X-T: " + key), []string{"white space"}},
		{"another user", auth(Auth{Basic: &Basic{"quay"}}), request(basic("root:" + key)), []string{"user is not quay"}},
		{"the secret as the user", auth(Auth{Basic: &Basic{"quay"}}), request(basic(key + ":")), []string{"as the user"}},
		{"Jenkins' token elsewhere", Config{Sender: jenkins(), Secret: secrets(key)}, request("X-Token: " + key), []string{"header X-Token"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := c.r.with(content)
			hints := mustGate(t, c.config).Hints(r)
			if len(c.want) == 0 && len(hints) == 0 {
				return
			}
			if len(hints) != 1 {
				t.Fatalf("%d hints: %q", len(hints), hints)
			}
			for _, word := range c.want {
				if !strings.Contains(hints[0], word) {
					t.Errorf("%q, want %q in it", hints[0], word)
				}
			}
			if strings.Contains(hints[0], key) || strings.Contains(hints[0], "c2VjcmV0") {
				t.Errorf("it tells the secret: %s", hints[0])
			}
		})
	}
}

// Where the wanted header is missing the hints say what is there, and whose
// headers they are.
func TestHintsOfAMissingHeader(t *testing.T) {
	for want, lines := range map[string][]string{
		"no header looks like a signature or a token":           {"Content-Type: text/plain"},
		"is in X-Gitlab-Token | those of GitLab:":               {"X-Gitlab-Event: Push Hook", "X-Gitlab-Token: t"},
		"is in X-Gitea-Signature | those of Gitea:":             {"X-Gitea-Signature: 00", "X-Github-Event: push"},
		"no header looks like a signature or a token: has":      {"X-Github-Event: push"},
		"is in Webhook-Signature | those of Standard Webhooks:": {"Webhook-Signature: v1,00"},
	} {
		hints := mustGate(t, Config{Sender: github(), Secret: secrets("s")}).Hints(request(lines...))
		words := strings.Split(want, " | ")
		if len(hints) != len(words) {
			t.Errorf("%q: %q", lines, hints)
			continue
		}
		for i, word := range words {
			if !strings.Contains(hints[i], word) {
				t.Errorf("%q: %q, want %q", lines, hints[i], word)
			}
		}
	}
}

// A secret that has the scheme's word in it can never be shown: the hook is not
// loaded, and where the word comes later the hint says so, whoever sends it rightly.
func TestTheWordBearerIsNoPartOfASecret(t *testing.T) {
	for _, s := range []string{"acr", "alertmanager", "distribution", "generic"} {
		config := Config{Sender: Named(s), Secret: secrets("Bearer hunter22")}
		if s == "generic" {
			config.Auth = &Auth{Bearer: true}
		}
		if _, errs := NewGate(config); len(errs) != 1 || !strings.Contains(errs[0].Error(), "word Bearer") {
			t.Errorf("%s: %v", s, errs)
		}
	}
	hints := bearerCheck{secrets("Bearer hunter22")}.hints(request("Authorization: Bearer hunter22"))
	if len(hints) != 1 || !strings.Contains(hints[0], "word Bearer") {
		t.Errorf("%q", hints)
	}
}
