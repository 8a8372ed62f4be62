package sender

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/secret"
)

func secrets(texts ...string) *secret.Set {
	var sources []secret.Source
	for _, text := range texts {
		sources = append(sources, secret.Source{Text: secret.New(text)})
	}
	return secret.NewSet(sources, nil)
}

func mustGate(t testing.TB, c Config) *Gate {
	t.Helper()
	if c.Sender == nil {
		c.Sender = generic()
	}
	g, errs := NewGate(c)
	if errs != nil {
		t.Fatal(errors.Join(errs...))
	}
	return g
}

// request makes a request of header lines, "Name: value" each.
func request(lines ...string) *Request {
	h := http.Header{}
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		h.Add(name, value)
	}
	return &Request{Delivery: &run.Delivery{
		Method: "POST", Header: h, RemoteAddr: "192.0.2.7:1234",
		Received: time.Date(2024, 6, 11, 9, 30, 0, 0, time.UTC),
	}}
}

func (r *Request) with(change func(*Request)) *Request {
	change(r)
	return r
}

func basic(text string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(text))
}

// Each of auth's keys on requests: what passes, in which words, and why others
// do not.
func TestWhatPasses(t *testing.T) {
	var (
		path    = Config{Auth: &Auth{Path: true}, Secret: secrets("s3cret")}
		segment = Config{Auth: &Auth{Path: true}, Secret: secrets("a/b c")}
		token   = Config{Auth: &Auth{Header: &Parameter{"x-token"}}, Secret: secrets("s3cret", "older")}
		query   = Config{Auth: &Auth{Query: &Parameter{"token"}}, Secret: secrets("s3cret")}
		bearer  = Config{Auth: &Auth{Bearer: true}, Secret: secrets("s3cret")}
		user    = Config{Auth: &Auth{Basic: &Basic{"quay"}}, Secret: secrets("s3c:ret", "older", "oldest")}
		nobody  = Config{Auth: &Auth{Basic: &Basic{""}}, Secret: secrets("s3cret")}
		network = Config{Auth: &Auth{Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}}}
		both    = Config{Auth: &Auth{Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Bearer: true}, Secret: secrets("s3cret")}
	)
	rest := func(text string) func(*Request) { return func(r *Request) { r.Rest = text } }
	asked := func(text string) func(*Request) { return func(r *Request) { r.RawQuery = text } }
	from := func(text string) func(*Request) { return func(r *Request) { r.RemoteAddr = text } }
	for _, c := range []struct {
		name   string
		config Config
		r      *Request
		want   string // the words; with ! before them those of the refusal
	}{
		{"path", path, request().with(rest("s3cret")), "path"},
		{"path: two segments", segment, request().with(rest("a/b c")), "path"},
		{"path: none", path, request(), "!no secret follows"},
		{"path: cut short", path, request().with(rest("s3cre")), "!is not the secret"},
		{"path: with a slash", path, request().with(rest("s3cret/")), "!is not the secret"},
		{"path: other case", path, request().with(rest("S3CRET")), "!is not the secret"},

		{"header", token, request("X-Token: s3cret"), "header X-Token, secret 1 of 2"},
		{"header: the other secret", token, request("X-TOKEN: older"), "header X-Token, secret 2 of 2"},
		{"header: none", token, request(), "!there is no header X-Token"},
		{"header: empty", token, request("X-Token: "), "!is not the secret"},
		{"header: the first counts", token, request("X-Token: no", "X-Token: s3cret"), "!is not the secret"},
		{"header: the second is idle", token, request("X-Token: s3cret", "X-Token: no"), "header X-Token, secret 1 of 2"},

		{"query", query, request().with(asked("a=b&token=s3cret")), "query parameter token"},
		{"query: escaped", query, request().with(asked("%74oken=s3%63ret")), "query parameter token"},
		{"query: the first counts", query, request().with(asked("token=&token=s3cret")), "!is not the secret"},
		{"query: names have a case", query, request().with(asked("Token=s3cret")), "!has no parameter"},
		{"query: none", query, request(), "!has no parameter"},
		{"query: a broken escape", query, request().with(asked("token=%zz")), "!has no parameter"},
		{"query: a semicolon", query, request().with(asked("a=b;token=s3cret")), "!has no parameter"},

		{"bearer", bearer, request("Authorization: Bearer s3cret"), "bearer"},
		{"bearer: the scheme ignores case", bearer, request("Authorization: bEARER  s3cret"), "bearer"},
		{"bearer: no scheme", bearer, request("Authorization: s3cret"), "!not of scheme Bearer"},
		{"bearer: no blank", bearer, request("Authorization: Bearers3cret"), "!not of scheme Bearer"},
		{"bearer: no token", bearer, request("Authorization: Bearer "), "!is not the secret"},
		{"bearer: Basic", bearer, request(basic("u:s3cret")), "!not of scheme Bearer"},
		{"bearer: none", bearer, request(), "!there is no header Authorization"},

		{"basic", user, request(basic("quay:s3c:ret")), "basic, secret 1 of 3"},
		{"basic: the oldest", user, request(basic("quay:oldest")), "basic, secret 3 of 3"},
		{"basic: the scheme ignores case", user, request(strings.Replace(basic("quay:older"), "Basic", "BASIC", 1)), "basic, secret 2 of 3"},
		{"basic: another user", user, request(basic("root:older")), "!the user of Basic"},
		{"basic: users have a case", user, request(basic("Quay:older")), "!the user of Basic"},
		{"basic: another password", user, request(basic("quay:old")), "!the password of Basic"},
		{"basic: no password", user, request(basic("quay:")), "!the password of Basic"},
		{"basic: no colon", user, request(basic("quay")), "!not base64 of user:password"},
		{"basic: no base64", user, request("Authorization: Basic quay:older"), "!not base64 of user:password"},
		{"basic: idle bits", user, request("Authorization: Basic cXVheTpvbGRlcj=="), "!not base64 of user:password"},
		{"basic: Bearer", user, request("Authorization: Bearer older"), "!not of scheme Basic"},
		{"basic: no user", nobody, request(basic(":s3cret")), "basic"},
		{"basic: a user where none is named", nobody, request(basic("quay:s3cret")), "!the user of Basic"},

		{"addresses", network, request(), "address"},
		{"addresses: IPv6", network, request().with(from("[2001:db8::1]:80")), "address"},
		{"addresses: IPv4 in IPv6", network, request().with(from("[::ffff:192.0.2.9]:80")), "address"},
		{"addresses: others", network, request().with(from("198.51.100.1:80")), "!in none of the hook's networks"},
		{"addresses: a Unix socket", network, request().with(from("@")), "!no IP address"},
		{"addresses: a header says nothing", network, request("X-Forwarded-For: 192.0.2.7").with(from("198.51.100.1:80")), "!in none"},

		{"two parts", both, request("Authorization: Bearer s3cret"), "address; bearer"},
		{"two parts: the first fails", both, request("Authorization: Bearer s3cret").with(from("198.51.100.1:80")), "!in none"},
		{"two parts: the second fails", both, request(), "!there is no header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := mustGate(t, c.config)
			early := g.Early(c.r)
			words, err := g.Verify(context.Background(), c.r)
			if (early == nil) != (err == nil) {
				t.Errorf("early %v, then %v", early, err)
			}
			want, refusal := strings.CutPrefix(c.want, "!")
			if !refusal {
				if err != nil || words != want {
					t.Fatalf("%q, %v; want %q", words, err, want)
				}
				return
			}
			var refused *RefusedError
			if !errors.As(err, &refused) || !strings.Contains(refused.Reason, want) || words != "" {
				t.Fatalf("%q, %v; want a refusal for %q", words, err, want)
			}
			if refused.Path != strings.HasPrefix(c.name, "path") {
				t.Errorf("Path is %v", refused.Path)
			}
			if strings.Contains(refused.Error(), "s3c") {
				t.Errorf("the error tells the secret: %v", refused)
			}
		})
	}
}

// What keeps a Gate from being made: the key that is wrong, and what to write.
func TestWhatCannotBeMade(t *testing.T) {
	s := secrets("s3cret")
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	hmac := func(h HMAC) Config { return Config{Auth: &Auth{HMAC: &h}, Secret: s} }
	for _, c := range []struct {
		name, key, text string
		config          Config
	}{
		{"nothing said", "auth", "or auth: none", Config{}},
		{"a sender that signs nothing", "auth", "auth: {path: {}}", Config{Sender: Named("quay"), Secret: s}},
		{"a sender without secret", "secret", "GitHub", Config{Sender: github()}},
		{"nothing in auth", "auth", "nothing in it", Config{Auth: &Auth{}, Secret: s}},
		{"path without secret", "secret", "auth.path asks for one", Config{Auth: &Auth{Path: true}}},
		{"bearer without secret", "secret", "auth.bearer asks for one", Config{Auth: &Auth{Bearer: true}}},
		{"hmac without secret", "secret", "auth.hmac asks for one", Config{Auth: &Auth{HMAC: &HMAC{Header: "X-S"}}}},
		{"GitHub's hmac without secret", "secret", "GitHub", Config{Sender: github(), Auth: &Auth{HMAC: &HMAC{Algorithms: []string{"sha1"}}}}},
		{"a secret for nothing", "secret", "nothing in auth uses it", Config{Auth: &Auth{Addresses: []netip.Prefix{netip.MustParsePrefix("::/0")}}, Secret: s}},
		{"GitHub's secret for nothing", "secret", "hmac: {}", Config{Sender: github(), Auth: &Auth{Addresses: []netip.Prefix{netip.MustParsePrefix("::/0")}}, Secret: s}},
		{"a header without name", "auth.header.name", "name the header", Config{Auth: &Auth{Header: &Parameter{}}, Secret: s}},
		{"a parameter without name", "auth.query.name", "name the parameter", Config{Auth: &Auth{Query: &Parameter{}}, Secret: s}},

		{"hmac: no header", "auth.hmac.header", "name the header", hmac(HMAC{})},
		{"hmac: algorithm", "auth.hmac.algorithms", "sha256, sha512", hmac(HMAC{Header: "X", Algorithms: []string{"md5"}})},
		{"hmac: encoding", "auth.hmac.encoding", "base64url", hmac(HMAC{Header: "X", Encoding: "base32"})},
		{"hmac: no body", "auth.hmac.signed", "has no {body}", hmac(HMAC{Header: "X", Signed: "{timestamp}", TimestampHeader: "X-T"})},
		{"hmac: other braces", "auth.hmac.signed", "can stand in braces", hmac(HMAC{Header: "X", Signed: "{body}{url}"})},
		{"hmac: an open brace", "auth.hmac.signed", "can stand in braces", hmac(HMAC{Header: "X", Signed: "{body}{"})},
		{"hmac: no time's header", "auth.hmac.timestamp-header", "name the header", hmac(HMAC{Header: "X", Signed: "{timestamp}.{body}"})},
		{"hmac: a time that is not covered", "auth.hmac.timestamp-header", "not covered", hmac(HMAC{Header: "X", TimestampHeader: "X-T"})},
		{"hmac: a tolerance without time", "auth.hmac.tolerance", "no {timestamp}", hmac(HMAC{Header: "X", Tolerance: time.Minute})},
		{"hmac: a unit", "auth.hmac.timestamp-unit", "s or ms", hmac(HMAC{Header: "X", Signed: "{timestamp}{body}", TimestampHeader: "T", TimestampUnit: "h"})},
		{"hmac: no id", "auth.hmac.signed", "delivery-id", hmac(HMAC{Header: "X", Signed: "{id}.{body}"})},

		{"GitHub's header", "auth.hmac.header", "sender: generic", Config{Sender: github(), Auth: &Auth{HMAC: &HMAC{Header: "X"}}, Secret: s}},
		{"GitHub's algorithm", "auth.hmac.algorithms", "sha256 or sha1", Config{Sender: github(), Auth: &Auth{HMAC: &HMAC{Algorithms: []string{"sha512"}}}, Secret: s}},
		{"GitHub's tolerance", "auth.hmac.tolerance", "signs no time", Config{Sender: github(), Auth: &Auth{HMAC: &HMAC{Tolerance: time.Hour}}, Secret: s}},
		{"a negative tolerance", "auth.hmac.tolerance", "longer than nothing", Config{Sender: slack(), Auth: &Auth{HMAC: &HMAC{Tolerance: -1}}, Secret: s}},
		{"no signing secret", "secret", "whsec_", Config{Sender: standardWebhooks(), Secret: secrets("s3cret!")}},
		{"no signing token", "secret", "whsec_", Config{Sender: gitlab(), Secret: secrets("token", "whsec_!")}},

		{"ed25519: no keys", "auth.ed25519.public-keys", "whpk_", Config{Sender: standardWebhooks(), Auth: &Auth{Ed25519: &Ed25519{}}}},
		{"ed25519: a short key", "auth.ed25519.public-keys", "32 bytes", Config{Sender: standardWebhooks(), Auth: &Auth{Ed25519: &Ed25519{[]string{"whpk_AAAA"}}}}},
		{"certificate: no CA", "auth.client-certificate.ca", "name the file", Config{Auth: &Auth{Certificate: &ClientCertificate{}}}},
		{"certificate: no file", "auth.client-certificate.ca", "read the CA", Config{Auth: &Auth{Certificate: &ClientCertificate{CAFile: ca + "x"}}}},
		{"certificate: no PEM", "auth.client-certificate.ca", "no certificate", Config{Auth: &Auth{Certificate: &ClientCertificate{CAFile: ca}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.config.Sender == nil {
				c.config.Sender = generic()
			}
			g, errs := NewGate(c.config)
			var named *ConfigError
			if g != nil || len(errs) != 1 || !errors.As(errs[0], &named) {
				t.Fatalf("%v, %v", g, errs)
			}
			if named.Key != c.key || !strings.Contains(named.Text, c.text) {
				t.Errorf("%s: %s; want %s and %q", named.Key, named.Text, c.key, c.text)
			}
			if strings.Contains(named.Error(), "s3cret") {
				t.Errorf("it tells the secret: %v", named)
			}
		})
	}
}

// As long as no secret is set nobody passes, or with unset: loopback this
// machine alone, and not through a proxy.
func TestASecretThatIsNotSet(t *testing.T) {
	file := filepath.Join(t.TempDir(), "quay")
	set := secret.NewSet([]secret.Source{{File: file}}, nil)
	local := func(lines ...string) *Request {
		return request(lines...).with(func(r *Request) { r.RemoteAddr = "127.0.0.1:5" })
	}
	for _, auth := range []*Auth{{Path: true}, {Bearer: true}, {HMAC: &HMAC{Header: "X-Signature"}}} {
		set.UnsetLoopback = false
		g := mustGate(t, Config{Auth: auth, Secret: set})
		refused := func(r *Request) {
			t.Helper()
			words, err := g.Verify(context.Background(), r)
			early := g.Early(r)
			var refusal *RefusedError
			if err == nil || early == nil || !errors.As(err, &refusal) || refusal.Path != auth.Path || g.Hints(r) != nil {
				t.Errorf("%v: %q, %v, early %v", g.Words(), words, err, early)
			}
		}
		refused(local())
		refused(local("Authorization: Bearer ", "X-Signature: "))
		if err := g.Sign(&Outgoing{Body: []byte("{}")}); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("what is to be set to sign: %v", err)
		}
		set.UnsetLoopback = true
		g = mustGate(t, Config{Auth: auth, Secret: set})
		for _, address := range []string{"127.0.0.1:5", "127.8.8.8:5", "[::1]:5", "[::ffff:127.0.0.1]:5"} {
			r := local().with(func(r *Request) { r.RemoteAddr = address })
			words, err := g.Verify(context.Background(), r)
			if early := g.Early(r); err != nil || early != nil || words != "from this machine; the secret is not set" {
				t.Errorf("%s: %q, %v, early %v", address, words, err, early)
			}
		}
		for _, l := range []string{"Forwarded: for=192.0.2.1", "X-Forwarded-For: 127.0.0.1", "Via: 1.1 proxy", "X-Forwarded-For: ",
			"X-Real-Ip: 127.0.0.1", "X-Forwarded-Proto: https", "X-Envoy-External-Address: 192.0.2.1", "Cf-Connecting-Ip: 192.0.2.1", "True-Client-Ip: 192.0.2.1",
			"Origin: https://page.example", "Origin: null", "Sec-Fetch-Site: cross-site", "Referer: https://page.example/"} {
			refused(local(l))
		}
		for host, passes := range map[string]bool{"localhost:9000": true, "127.0.0.1:9000": true, "[::1]:9000": true, "pawl": true, "hooks.localhost": true, "page.example:9000": false, "localhost.page.example": false} {
			r := local().with(func(r *Request) {
				record := *r.Delivery
				record.Host = host
				r.Delivery = &record
			})
			if words, err := g.Verify(context.Background(), r); (err == nil) != passes {
				t.Errorf("called %s: %q, %v", host, words, err)
			}
		}
		_, err := g.Verify(context.Background(), local("X-Forwarded-For: 192.0.2.1"))
		if want := "not set (file " + file + "), so only this machine may call, and header X-Forwarded-For shows that this came through a proxy"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the refusal is %v, want %s", err, want)
		}
		o := &Outgoing{URL: "http://localhost/hooks/a", Body: []byte("{}")}
		if err := g.Sign(o); err != nil || o.URL != "http://localhost/hooks/a" || len(o.Header) != 0 {
			t.Errorf("as it is sent from here: %v, %v", o, err)
		}
		for _, address := range []string{"192.0.2.7:5", "@", "", "127.0.0.1"} {
			refused(local().with(func(r *Request) { r.RemoteAddr = address }))
		}
	}
	// Other parts of auth go on to count.
	g := mustGate(t, Config{Secret: set, Auth: &Auth{Bearer: true, Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}})
	if _, err := g.Verify(context.Background(), local()); err == nil {
		t.Error("an address that is not allowed passes")
	}
	// A secret that is set ends it at once.
	g = mustGate(t, Config{Secret: set, Auth: &Auth{Bearer: true}})
	if err := os.WriteFile(file, []byte("now-set\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if words, err := g.Verify(context.Background(), local()); err == nil {
		t.Errorf("this machine passes without the secret: %s", words)
	}
	if words, err := g.Verify(context.Background(), local("Authorization: Bearer now-set")); err != nil || words != "bearer" {
		t.Errorf("with the secret: %q, %v", words, err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if words, err := g.Verify(context.Background(), local()); err == nil {
		t.Errorf("the file is gone, and this machine passes: %s", words)
	}
}

// Which values let their bearer in, and must not be kept.
func TestCredentials(t *testing.T) {
	all := mustGate(t, Config{Secret: secrets("s"), Auth: &Auth{
		Path: true, Header: &Parameter{"x-token"}, Query: &Parameter{"key"}, HMAC: &HMAC{Header: "X-Signature"},
	}})
	for at, want := range map[delivery.Ref]bool{
		{Source: delivery.Header, Name: "X-TOKEN"}:     true,
		{Source: delivery.Header, Name: "X-Signature"}: false,
		{Source: delivery.Header, Name: "key"}:         false,
		{Source: delivery.Query, Name: "key"}:          true,
		{Source: delivery.Query, Name: "Key"}:          false,
		{Source: delivery.Query, Name: "x-token"}:      false,
	} {
		if got := all.Credential(at.Source, at.Name); got != want {
			t.Errorf("%v: %v", at, got)
		}
	}
	if !all.UsesPath() || all.UsesCertificate() {
		t.Error("it uses the path and no certificate")
	}
	for name, header := range map[string]string{"alertmanager": "authorization", "gitlab": "x-gitlab-token", "jenkins": "token", "harbor": "Authorization"} {
		g := mustGate(t, Config{Sender: Named(name), Secret: secrets("s")})
		if !g.Credential(delivery.Header, header) || g.Credential(delivery.Header, "Content-Type") || g.UsesPath() {
			t.Errorf("%s: %s is no credential, or others are", name, header)
		}
	}
	if g := mustGate(t, Config{Sender: Named("jenkins"), Secret: secrets("s")}); !g.Credential(delivery.Query, "token") {
		t.Error("Jenkins' token in the query is none")
	}
}

// The words for people name what is checked, one part each, early ones first.
func TestWords(t *testing.T) {
	for want, c := range map[string]Config{
		"a caller in 10.0.0.0/8 | a secret behind the hook's path | Basic authentication, user u": {
			Secret: secrets("s"), Auth: &Auth{Basic: &Basic{"u"}, Path: true, Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
		},
		"an HMAC-SHA256 signature in header X-Hub-Signature-256":                                 {Sender: github(), Secret: secrets("s")},
		"a caller in ::/0 | an HMAC-SHA256 signature in header X-Hub-Signature-256":              {Sender: github(), Secret: secrets("s"), Auth: &Auth{HMAC: &HMAC{}, Addresses: []netip.Prefix{netip.MustParsePrefix("::/0")}}},
		"an HMAC-SHA256 signature in header X-Slack-Signature, not older than 10m0s":             {Sender: slack(), Secret: secrets("s"), Auth: &Auth{HMAC: &HMAC{Tolerance: 10 * time.Minute}}},
		"a secret in header X-Gitlab-Token":                                                      {Sender: gitlab(), Secret: secrets("s")},
		"an HMAC-SHA256 signature in header Webhook-Signature, not older than 5m0s":              {Sender: gitlab(), Secret: secrets("whsec_AAAA")},
		"a Bearer token in header Authorization":                                                 {Sender: github(), Secret: secrets("s"), Auth: &Auth{Bearer: true}},
		"a token in the URL's parameter token, in header token, or as Bearer":                    {Sender: jenkins(), Secret: secrets("s")},
		"an HMAC-SHA256 or HMAC-SHA1 signature in header X-Hub-Signature-256 or X-Hub-Signature": {Sender: github(), Secret: secrets("s"), Auth: &Auth{HMAC: &HMAC{Algorithms: []string{"sha1"}}}},
		"an HMAC-SHA256 signature in header Stripe-Signature, not older than 5m0s":               {Sender: stripe(), Secret: secrets("s")},
	} {
		if got := strings.Join(mustGate(t, c).Words(), " | "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
