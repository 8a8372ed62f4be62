// Package sendertest tries recorded deliveries on the presets of package sender:
// each is verified as its file expects, and refused when one byte of what it is
// verified by has changed.
//
// It is for tests alone.
package sendertest

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/secret"
	"github.com/pawlhq/pawl/internal/sender"
)

// Sample is one recorded delivery, how its receiver is set up, and what must
// come of it.
type Sample struct {
	Name string `json:"-"` // the file below the directory, with slashes

	Sender      string      `json:"sender"`
	Method      string      `json:"method"`
	PathQuery   string      `json:"path_query"` // what follows the hook's URL
	Headers     [][2]string `json:"headers"`
	Body        string      `json:"body"`
	BodyBase64  []byte      `json:"body_base64"`
	Secret      string      `json:"secret"`
	Secrets     []string    `json:"secrets"`
	Auth        *Auth       `json:"auth"`
	Keys        *Keys       `json:"keys"`
	Certificate string      `json:"tls_client_certificate_pem"`
	Now         time.Time   `json:"now"`

	Verify bool    `json:"verify"`
	Why    string  `json:"why"`
	Expect *Expect `json:"expect"`
}

// Auth is how the receiver authenticates, where it is not by Secret alone.
type Auth struct {
	Type            string   `json:"type"`
	User            string   `json:"user"`
	Password        string   `json:"password"`
	Token           string   `json:"token"`
	Name            string   `json:"name"`
	Value           string   `json:"value"`
	CA              string   `json:"ca_pem"`
	Names           []string `json:"allowed_names"`
	Tolerance       int      `json:"tolerance_seconds"`
	Algorithm       string   `json:"algorithm"`
	Algorithms      []string `json:"algorithms"`
	Encoding        string   `json:"encoding"`
	Header          string   `json:"header"`
	Prefix          string   `json:"prefix"`
	Payload         string   `json:"payload"`
	TimestampHeader string   `json:"timestamp_header"`
	TimestampUnit   string   `json:"timestamp_unit"`
	EventHeader     string   `json:"event_header"`
	EventPath       string   `json:"event_path"`
	IDHeader        string   `json:"id_header"`
	IDPath          string   `json:"id_path"`
}

// Keys are public keys that the receiver trusts.
type Keys struct {
	JWKS         json.RawMessage   `json:"jwks"`
	Issuer       string            `json:"issuer"`
	Audience     string            `json:"audience"`
	Email        string            `json:"email"`
	Certificates map[string]string `json:"certificates"`
	Topics       []string          `json:"topic_arns"`
	PublicKeys   []string          `json:"public_keys"`
}

// Expect is what an authentic delivery is understood as.
type Expect struct {
	Event     *string         `json:"event"`
	ID        *string         `json:"delivery_id"`
	Handshake *Handshake      `json:"handshake"`
	Key       string          `json:"key"`   // what groups deliveries of one matter
	Inner     json.RawMessage `json:"inner"` // the message in its envelope
}

// Handshake is an answer that is asked for.
type Handshake struct {
	Status int     `json:"status"`
	Body   *string `json:"body"` // nil: any
	Fetch  string  `json:"fetch"`
}

// Read reads all samples below a directory.
func Read(t testing.TB, directory string) []*Sample {
	t.Helper()
	var samples []*Sample
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s := &Sample{}
		if err := json.Unmarshal(text, s); err != nil {
			return err
		}
		if s.BodyBase64 == nil {
			s.BodyBase64 = []byte(s.Body)
		}
		name, err := filepath.Rel(directory, path)
		s.Name = filepath.ToSlash(name)
		samples = append(samples, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(samples) == 0 {
		t.Fatalf("there are no samples in %s", directory)
	}
	return samples
}

// kind is how the receiver authenticates; "" by the sender's own way.
func (s *Sample) kind() string {
	if s.Auth == nil {
		return ""
	}
	return s.Auth.Type
}

// secrets are what the receiver has been given.
func (s *Sample) secrets() []string {
	switch s.kind() {
	case "basic":
		return []string{s.Auth.Password}
	case "header", "query", "path":
		return []string{s.Auth.Value}
	case "bearer", "signing-token":
		return []string{s.Auth.Token}
	case "token":
		if s.Auth.Token != "" {
			return []string{s.Auth.Token}
		}
	}
	if s.Secret != "" {
		return []string{s.Secret}
	}
	return s.Secrets
}

// Config sets up a receiver as the sample says, with these secrets.
func (s *Sample) Config(t testing.TB, secrets []string) sender.Config {
	t.Helper()
	c := sender.Config{Sender: sender.Named(s.Sender)}
	if c.Sender == nil {
		t.Fatalf("there is no sender %s", s.Sender)
	}
	var sources []secret.Source
	for _, text := range secrets {
		sources = append(sources, secret.Source{Text: secret.New(text)})
	}
	if sources != nil {
		c.Secret = secret.NewSet(sources, nil)
	}
	c.Auth = s.auth(t)
	c.DeliveryID = ref(s.Auth, func(a *Auth) (string, string) { return a.IDHeader, a.IDPath })
	return c
}

// ref is where a hook says that an event or an id is.
func ref(a *Auth, names func(*Auth) (header, path string)) *delivery.Ref {
	if a == nil {
		return nil
	}
	switch header, path := names(a); {
	case header != "":
		return &delivery.Ref{Source: delivery.Header, Name: header}
	case path != "":
		return &delivery.Ref{Source: delivery.Payload, Name: path}
	}
	return nil
}

func (s *Sample) auth(t testing.TB) *sender.Auth {
	t.Helper()
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if k := s.Keys; k != nil {
		switch {
		case k.JWKS != nil:
			return &sender.Auth{OIDC: &sender.OIDC{Issuer: k.Issuer, Audience: k.Audience, Email: k.Email, KeysFile: write("keys.json", string(k.JWKS))}}
		case k.Topics != nil:
			all := ""
			for _, text := range k.Certificates {
				all += text
			}
			return &sender.Auth{SNS: &sender.SNS{Topics: k.Topics, CertificatesFile: write("sns.pem", all)}}
		}
		return &sender.Auth{Ed25519: &sender.Ed25519{PublicKeys: k.PublicKeys}}
	}
	a := s.Auth
	switch s.kind() {
	case "basic":
		return &sender.Auth{Basic: &sender.Basic{User: a.User}}
	case "bearer":
		return &sender.Auth{Bearer: true}
	case "header":
		return &sender.Auth{Header: &sender.Parameter{Name: a.Name}}
	case "query":
		return &sender.Auth{Query: &sender.Parameter{Name: a.Name}}
	case "path":
		return &sender.Auth{Path: true}
	case "mtls":
		return &sender.Auth{Certificate: &sender.ClientCertificate{CAFile: write("ca.pem", a.CA), Names: a.Names}}
	case "stripe", "signing-token":
		return &sender.Auth{HMAC: &sender.HMAC{Tolerance: time.Duration(a.Tolerance) * time.Second}}
	case "hmac":
		h := &sender.HMAC{
			Header: a.Header, Algorithms: a.Algorithms, Encoding: a.Encoding, Prefix: a.Prefix, Signed: a.Payload,
			TimestampHeader: a.TimestampHeader, TimestampUnit: a.TimestampUnit,
			Tolerance: time.Duration(a.Tolerance) * time.Second,
		}
		if h.Algorithms == nil {
			h.Algorithms = []string{a.Algorithm}
		}
		return &sender.Auth{HMAC: h}
	}
	return nil
}

// Request is the delivery as a Gate sees it.
func (s *Sample) Request(t testing.TB) *sender.Request {
	t.Helper()
	d := &run.Delivery{
		Received: s.Now, Method: s.Method, Path: "/hooks/sample", RemoteAddr: "192.0.2.1:40000",
		Header: http.Header{}, Body: append([]byte(nil), s.BodyBase64...),
	}
	for _, pair := range s.Headers {
		if strings.EqualFold(pair[0], "Host") {
			d.Host = pair[1]
			continue
		}
		d.Header.Add(pair[0], pair[1])
	}
	path, query, _ := strings.Cut(s.PathQuery, "?")
	rest, err := url.PathUnescape(strings.TrimPrefix(path, "/"))
	if err != nil {
		t.Fatal(err)
	}
	d.RawQuery = query
	r := &sender.Request{Delivery: d, Rest: rest}
	for text := []byte(s.Certificate); ; {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return r
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		r.Certificates = append(r.Certificates, certificate)
	}
}

// Identity reads deliveries as a sender writes them: a delivery.Sender.
type Identity struct{ *sender.Sender }

// SenderName is the preset's name.
func (i Identity) SenderName() string { return i.Name }

// Message gives the message that a delivery wraps.
func (i Identity) Message(d *run.Delivery) (body []byte, contentType string, wrapped bool) {
	message, ok := i.Unwrap(d)
	return message.Body, message.ContentType, ok
}

// EventType finds the event type.
func (i Identity) EventType(d *delivery.Delivery) string { return i.Event(d) }

// SenderID finds the delivery's id.
func (i Identity) SenderID(d *delivery.Delivery) string { return i.ID(d) }
