package sender

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // SignatureVersion 1
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/secret"
)

const (
	topic      = "arn:aws:sns:eu-central-1:123456789012:images"
	signingURL = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem"
	confirmURL = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=" + topic + "&Token=t0"
)

var snsNow = time.Date(2026, 6, 11, 9, 30, 0, 0, time.UTC)

// amazon has the keys that these tests sign with. They are made once: RSA keys
// take their time.
var amazon = sync.OnceValue(func() (a struct{ key, other, authority *rsa.PrivateKey }) {
	for _, key := range []**rsa.PrivateKey{&a.key, &a.other, &a.authority} {
		*key, _ = rsa.GenerateKey(rand.Reader, 2048)
	}
	return a
})

// issue makes a certificate in PEM, for name, by the authority unless selfSigned.
func issue(t *testing.T, name string, from, to time.Time, selfSigned bool) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: from, NotAfter: to,
	}
	parent, key := authority(), amazon().authority
	if selfSigned {
		parent, key = template, amazon().key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &amazon().key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func authority() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: snsNow.AddDate(-1, 0, 0), NotAfter: snsNow.AddDate(20, 0, 0),
	}
}

func rootPEM(t *testing.T) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, authority(), authority(), &amazon().authority.PublicKey, amazon().authority)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func goodCertificate(t *testing.T) []byte {
	t.Helper()
	return issue(t, "sns.amazonaws.com", snsNow.AddDate(0, -1, 0), snsNow.AddDate(15, 0, 0), false)
}

// notification is a message that sign signs.
func notification() map[string]any {
	return map[string]any{
		"Type": "Notification", "MessageId": "m-1", "TopicArn": topic, "Message": `{"detail-type":"ECR Image Action","id":"e-1"}`,
		"Timestamp": "2026-06-11T09:29:58.418Z", "SignatureVersion": "2", "SigningCertURL": signingURL,
	}
}

func confirmation(kind string) map[string]any {
	return map[string]any{
		"Type": kind, "MessageId": "m-2", "TopicArn": topic, "Token": "t0", "Message": "You have chosen…\nvisit", "SubscribeURL": confirmURL,
		"Timestamp": "2026-06-11T09:29:58.418Z", "SignatureVersion": "1", "SigningCertURL": signingURL,
	}
}

// signSNS signs a message as Amazon's documentation says, leaving out some fields.
func signSNS(t *testing.T, m map[string]any, key *rsa.PrivateKey, leaveOut ...string) []byte {
	t.Helper()
	names := []string{"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	canonical := ""
	for _, name := range names {
		if text, ok := m[name].(string); ok && (len(leaveOut) == 0 || leaveOut[0] != name) {
			canonical += name + "\n" + text + "\n"
		}
	}
	one, two := sha1.Sum([]byte(canonical)), sha256.Sum256([]byte(canonical)) //nolint:gosec // as above
	hash, sum := crypto.SHA256, two[:]
	if m["SignatureVersion"] == "1" {
		hash, sum = crypto.SHA1, one[:]
	}
	signature, err := rsa.SignPKCS1v15(nil, key, hash, sum)
	if err != nil {
		t.Fatal(err)
	}
	signed := maps.Clone(m)
	signed["Signature"] = base64.StdEncoding.EncodeToString(signature)
	body, err := json.Marshal(signed)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func snsRequest(body []byte) *Request {
	return &Request{Delivery: &run.Delivery{Method: http.MethodPost, Header: http.Header{}, Body: body, Received: snsNow}}
}

// fromFile makes a check whose certificates are in a file.
func fromFile(t *testing.T, certificates ...[]byte) (check, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sns.pem")
	text := []byte("a comment\n")
	for _, certificate := range certificates {
		text = append(text, certificate...)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := newSNS(&SNS{Topics: []string{"arn:aws:sns:eu-central-1:123456789012:another", topic}, CertificatesFile: path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, path
}

func TestSNS(t *testing.T) {
	with := func(m map[string]any, changes ...string) map[string]any {
		for i := 0; i < len(changes); i += 2 {
			m[changes[i]] = changes[i+1]
		}
		return m
	}
	raw := func(m map[string]any, name string, value any) map[string]any { m[name] = value; return m }
	after := func(m map[string]any, name, value string) []byte { // changed after it was signed
		var signed map[string]any
		if err := json.Unmarshal(signSNS(t, m, amazon().key), &signed); err != nil {
			t.Fatal(err)
		}
		signed[name] = value
		body, _ := json.Marshal(signed)
		return body
	}
	sign := func(m map[string]any) []byte { return signSNS(t, m, amazon().key) }
	c, _ := fromFile(t, issue(t, "sns.amazonaws.com", snsNow.AddDate(-2, 0, 0), snsNow.AddDate(-1, 0, 0), true), goodCertificate(t))
	for name, test := range map[string]struct {
		body    []byte
		refused string // "": it passes
	}{
		"version 2":                        {body: sign(notification())},
		"version 1":                        {body: sign(with(notification(), "SignatureVersion", "1"))},
		"a subject":                        {body: sign(with(notification(), "Subject", "ECR\tpush"))},
		"an empty subject":                 {body: sign(with(notification(), "Subject", ""))},
		"a subject that is null":           {body: sign(raw(notification(), "Subject", nil))},
		"escapes":                          {body: sign(with(notification(), "Message", "a\n\"b\" <&> é \u2028 \U0001F600"))},
		"a subscription":                   {body: sign(confirmation("SubscriptionConfirmation"))},
		"the end of one":                   {body: sign(confirmation("UnsubscribeConfirmation"))},
		"the end of one, token not signed": {body: signSNS(t, confirmation("UnsubscribeConfirmation"), amazon().key, "Token")},
		"a subscription, token not signed": {body: signSNS(t, confirmation("SubscriptionConfirmation"), amazon().key, "Token"), refused: "not that of Amazon's"},
		"China":                            {body: sign(with(notification(), "SigningCertURL", "https://sns.cn-north-1.amazonaws.com.cn/a.pem"))},

		"another message":     {body: after(notification(), "Message", "{}"), refused: "not that of Amazon's"},
		"another id":          {body: after(notification(), "MessageId", "m-9"), refused: "not that of Amazon's"},
		"another time":        {body: after(notification(), "Timestamp", "2026-06-11T09:29:58.419Z"), refused: "not that of Amazon's"},
		"a subject put in":    {body: after(notification(), "Subject", "x"), refused: "not that of Amazon's"},
		"another type":        {body: after(notification(), "Type", "UnsubscribeConfirmation"), refused: "no SubscribeURL"},
		"another allowed one": {body: after(notification(), "TopicArn", "arn:aws:sns:eu-central-1:123456789012:another"), refused: "not that of Amazon's"},
		"another version":     {body: after(notification(), "SignatureVersion", "1"), refused: "not that of Amazon's"},
		"no signature":        {body: after(notification(), "Signature", ""), refused: "not base64"},
		"no base64":           {body: after(notification(), "Signature", "***"), refused: "not base64"},
		"the time in the id":  {body: sign(raw(with(notification(), "MessageId", "m-1\nTimestamp\n2026-06-11T09:29:58.418Z"), "Timestamp", nil)), refused: "has no Timestamp"},
		"a line in the id":    {body: sign(with(notification(), "MessageId", "m-1\nSubject\nx")), refused: "line end in MessageId"},
		"a line in Subject":   {body: sign(with(notification(), "Subject", "x\nTimestamp\ny")), refused: "line end in Subject"},
		"somebody's bucket":   {body: sign(with(notification(), "SigningCertURL", "https://sns.s3-us-west-2.amazonaws.com/x.pem")), refused: "SigningCertURL is not Amazon's"},
		"another key":         {body: signSNS(t, notification(), amazon().other), refused: "not that of Amazon's"},
		"another topic":       {body: sign(with(notification(), "TopicArn", topic+"2")), refused: "not among the hook's topics"},
		"no topic":            {body: sign(with(notification(), "TopicArn", "")), refused: "not among the hook's topics"},
		"version 3":           {body: sign(with(notification(), "SignatureVersion", "3")), refused: "neither 1 nor 2"},
		"version as a number": {body: sign(raw(notification(), "SignatureVersion", 2)), refused: "neither 1 nor 2"},
		"names in small":      {body: []byte(strings.Replace(string(sign(notification())), `"Type"`, `"type"`, 1)), refused: "no message of SNS"},
		"raw delivery":        {body: []byte(`{"detail-type":"ECR Image Action"}`), refused: "raw message delivery"},
		"no JSON":             {body: []byte("{"), refused: "no JSON object"},
		"a list":              {body: []byte("[]"), refused: "no JSON object"},
		"null":                {body: []byte("null"), refused: "no JSON object"},
		"nothing":             {refused: "no JSON object"},
		"no SubscribeURL":     {body: sign(with(confirmation("SubscriptionConfirmation"), "SubscribeURL", "")), refused: "SubscribeURL is not Amazon's"},
		"another's URL":       {body: sign(with(confirmation("SubscriptionConfirmation"), "SubscribeURL", "https://evil.example/?Token=t0")), refused: "SubscribeURL is not Amazon's"},
		"another's, to end":   {body: sign(with(confirmation("UnsubscribeConfirmation"), "SubscribeURL", "https://evil.example/")), refused: "SubscribeURL is not Amazon's"},
	} {
		t.Run(name, func(t *testing.T) {
			words, err := c.verify(t.Context(), snsRequest(test.body))
			if !says(err, test.refused) || err == nil && !strings.HasPrefix(words, "SNS signature, version ") {
				t.Errorf("%q, %v; want %q", words, err, test.refused)
			}
			if refusal := (*RefusedError)(nil); err != nil && !errors.As(err, &refusal) {
				t.Errorf("%v is no refusal", err)
			}
		})
	}
}

// URLs that only look like Amazon's are refused before anything is fetched.
func TestSNSURLs(t *testing.T) {
	c, err := newSNS(&SNS{Topics: []string{topic}}, &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s was fetched", r.URL)
		return nil, errors.New("no")
	})})
	if err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{
		"", "x", "/a.pem", "//sns.eu-central-1.amazonaws.com/a.pem", "http://sns.eu-central-1.amazonaws.com/a.pem",
		"https://sns.eu-central-1.amazonaws.com.evil.example/a.pem", "https://evil.example/sns.eu-central-1.amazonaws.com/a.pem",
		"https://evil.example#sns.eu-central-1.amazonaws.com/a.pem", "https://evil.example?sns.eu-central-1.amazonaws.com/a.pem",
		`https://evil.example\sns.eu-central-1.amazonaws.com/a.pem`, "https://sns.eu-central-1.amazonaws.com@evil.example/a.pem",
		"https://user@sns.eu-central-1.amazonaws.com/a.pem", "https://user:pw@sns.eu-central-1.amazonaws.com/a.pem", "https://@sns.eu-central-1.amazonaws.com/a.pem",
		"https://sns.eu-central-1.amazonaws.com:443/a.pem", "https://sns.eu-central-1.amazonaws.com:/a.pem", "https://sns.eu-central-1.amazonaws.com./a.pem",
		"https://SNS.EU-CENTRAL-1.AMAZONAWS.COM/a.pem", "https://sns.amazonaws.com/a.pem", "https://sns.a.amazonaws.com/a.pem",
		"https://sns.bucket.s3.amazonaws.com/a.pem", "https://evil-sns.eu-central-1.amazonaws.com/a.pem", "https://sns.eu-central-1.amazonaws.org/a.pem",
		"https://sns.eu_central.amazonaws.com/a.pem", "https://snsxeu-central-1.amazonaws.com/a.pem", "https://sns.eu-central-1.amazonaws.com.cn.evil.example/a.pem",
		"https://sns.eu-central-1.amazonaws.com", "https://sns.eu-central-1.amazonaws.com/a", "https://sns.eu-central-1.amazonaws.com/a.pem.txt",
		"https://sns.eu-central-1.amazonaws.com/a.pem?x=1", "https://sns.eu-central-1.amazonaws.com/?x=.pem", "https://sns.eu-central-1.amazonaws.com/a.pem?",
		"https://sns.eu-central-1.amazonaws.com/a.pem#b", "https://sns.eu-central-1.amazonaws.com/#.pem", "https://sns.eu-central-1.amazonaws.com/%2e%2e%2fa.pem",
		"https://sns.eu-central-1.amazonaws.com\n.evil.example/a.pem", "https://sns.eu-central-1.amazonaws.com\x00/a.pem", "https://169.254.169.254/a.pem", "https://[::1]/a.pem",
		"HTTPS://evil.example/a.pem", "javascript:a.pem", "https:sns.eu-central-1.amazonaws.com/a.pem",
	} {
		m := notification()
		m["SigningCertURL"] = where
		if _, err := c.verify(t.Context(), snsRequest(signSNS(t, m, amazon().key))); !says(err, "SigningCertURL is not Amazon's") {
			t.Errorf("%q: %v", where, err)
		}
	}
}

func TestSNSConfiguration(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		config SNS
		key    string
	}{
		"no topic":       {SNS{}, "auth.sns.topics"},
		"no ARN":         {SNS{Topics: []string{"images"}}, "auth.sns.topics"},
		"a subscription": {SNS{Topics: []string{topic + ":12e6c654"}}, "auth.sns.topics"},
		"no file":        {SNS{Topics: []string{topic}, CertificatesFile: empty + "2"}, "auth.sns.certificates.file"},
		"an empty file":  {SNS{Topics: []string{topic}, CertificatesFile: empty}, "auth.sns.certificates.file"},
		"a directory":    {SNS{Topics: []string{topic}, CertificatesFile: filepath.Dir(empty)}, "auth.sns.certificates.file"},
	} {
		_, err := newSNS(&test.config, nil)
		if wrong := (*ConfigError)(nil); !errors.As(err, &wrong) || wrong.Key != test.key {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSNSHandshakeAndMessage(t *testing.T) {
	s := Named("ecr")
	for name, test := range map[string]struct {
		message map[string]any
		event   string
		inner   string
		shakes  bool
		fetch   string
	}{
		"notification":    {message: notification(), event: "ECR Image Action", inner: `{"detail-type":"ECR Image Action","id":"e-1"}`},
		"text":            {message: map[string]any{"Type": "Notification", "Message": "hello"}, event: "Notification"},
		"a number":        {message: map[string]any{"Type": "Notification", "Message": "12"}, event: "Notification"},
		"a list":          {message: map[string]any{"Type": "Notification", "Message": " [1]"}, event: "Notification", inner: " [1]"},
		"half JSON":       {message: map[string]any{"Type": "Notification", "Message": "{"}, event: "Notification"},
		"subscription":    {message: confirmation(snsSubscribe), event: snsSubscribe, shakes: true, fetch: confirmURL},
		"end of one":      {message: confirmation(snsUnsubscribe), event: snsUnsubscribe, shakes: true},
		"another's URL":   {message: map[string]any{"Type": snsSubscribe, "SubscribeURL": "https://evil.example/"}, event: snsSubscribe, shakes: true},
		"raw delivery":    {message: map[string]any{"detail-type": "ECR Image Scan"}, event: "ECR Image Scan"},
		"event in Amazon": {message: map[string]any{"Type": "Notification", "Message": "x", "detail-type": "ECR Image Action"}, event: "Notification"},
	} {
		body, _ := json.Marshal(test.message)
		record := snsRequest(body).Delivery
		message, ok := s.Unwrap(record)
		d := delivery.New(record, delivery.Options{})
		handshake := s.Handshake(d)
		if string(message.Body) != test.inner || ok != (test.inner != "") || s.Event(d) != test.event || (handshake != nil) != test.shakes {
			t.Errorf("%s: message %q, event %q, handshake %v", name, message.Body, s.Event(d), handshake)
		}
		if handshake != nil && (handshake.Fetch != test.fetch || handshake.Status != http.StatusOK) {
			t.Errorf("%s: handshake %+v", name, handshake)
		}
	}
}

func TestConfirm(t *testing.T) {
	const place = "https://sns.eu-central-1.amazonaws.com"
	server := newInternet(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("Token") {
		case "there":
			http.Redirect(w, r, "https://sns.us-east-1.amazonaws.com/?Token=t0", http.StatusFound)
		case "out":
			http.Redirect(w, r, "https://evil.example/", http.StatusFound)
		case "bad":
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	for where, want := range map[string]struct {
		err   string
		asked int32
	}{
		place + "/?Action=ConfirmSubscription&Token=t0": {asked: 1},
		place + "/?Token=there":                         {err: "another host", asked: 1},
		place + "/?Token=out":                           {err: "another host", asked: 1},
		place + "/?Token=bad":                           {err: "400 Bad Request", asked: 1},
		"https://evil.example/?Token=t0":                {err: "not Amazon's"},
		place + ":8443/?Token=t0":                       {err: "not Amazon's"},
		"http://sns.eu-central-1.amazonaws.com/":        {err: "not Amazon's"},
		"":                                              {err: "not Amazon's"},
	} {
		server.asked.Store(0)
		if err := Confirm(context.Background(), server.client, where); !says(err, want.err) || server.asked.Load() != want.asked {
			t.Errorf("%s: asked %d times, %v", where, server.asked.Load(), err)
		}
	}
}

// Only a Gate that verifies SNS's signature and topic vouches for the URL of a
// confirmation.
func TestGateConfirms(t *testing.T) {
	set := secret.NewSet([]secret.Source{{Text: secret.New("s")}}, nil)
	for name, test := range map[string]struct {
		auth Auth
		want bool
	}{
		"sns":           {Auth{SNS: &SNS{Topics: []string{topic}}}, true},
		"sns and basic": {Auth{SNS: &SNS{Topics: []string{topic}}, Basic: &Basic{"sns"}}, true},
		"basic":         {Auth{Basic: &Basic{"sns"}}, false},
	} {
		c := Config{Sender: Named("ecr"), Auth: &test.auth}
		if test.auth.Basic != nil {
			c.Secret = set
		}
		gate, errs := NewGate(c)
		if errs != nil || gate.Confirms() != test.want {
			t.Errorf("%s: %v; want %v", name, errs, test.want)
		}
	}
	if (*Gate)(nil).Confirms() {
		t.Error("no Gate vouches")
	}
}

func FuzzSNS(f *testing.F) {
	f.Add([]byte(`{"Type":"Notification","TopicArn":"` + topic + `","SignatureVersion":"1","SigningCertURL":"` + signingURL + `","Signature":"AAAA"}`))
	f.Add([]byte(`{"Type":"SubscriptionConfirmation","SubscribeURL":"` + confirmURL + `"}`))
	c := snsCheck{topics: []string{topic}, certificates: noCertificates{}}
	s := Named("ecr")
	f.Fuzz(func(t *testing.T, body []byte) {
		r := snsRequest(body)
		if _, err := c.verify(t.Context(), r); err == nil {
			t.Error("it passes without a certificate")
		}
		c.hints(r)
		d := delivery.New(r.Delivery, delivery.Options{})
		s.Event(d)
		s.ID(d)
		if h := s.Handshake(d); h != nil && h.Fetch != "" && !strings.HasPrefix(h.Fetch, "https://sns.") {
			t.Errorf("%q would be fetched", h.Fetch)
		}
		Named("gar").Event(d)
		Named("gar").Unwrap(r.Delivery)
	})
}

type noCertificates struct{}

func (noCertificates) at(context.Context, string) ([]*x509.Certificate, error) { return nil, nil }
