package sender

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certified issues certificates.
type certified struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// issue makes a certificate of template, signed by a; nil: by itself.
func (a *certified) issue(t *testing.T, template x509.Certificate) *certified {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(1)
	template.NotBefore = request().Received.Add(-time.Hour)
	template.NotAfter = request().Received.Add(time.Hour)
	template.BasicConstraintsValid = true
	parent, signer := &template, key
	if a != nil {
		parent, signer = a.certificate, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &certified{certificate, key}
}

func TestClientCertificates(t *testing.T) {
	ca := func(name string) x509.Certificate {
		return x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, KeyUsage: x509.KeyUsageCertSign}
	}
	named := func(names ...string) x509.Certificate { return x509.Certificate{DNSNames: names} }
	use := func(c x509.Certificate, usage x509.ExtKeyUsage) x509.Certificate {
		c.ExtKeyUsage = []x509.ExtKeyUsage{usage}
		return c
	}
	root := (*certified)(nil).issue(t, ca("root"))
	middle := root.issue(t, ca("middle"))
	stranger := (*certified)(nil).issue(t, ca("root"))
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.certificate.Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	const quay = "quay.example.com"
	for _, c := range []struct {
		name  string
		names []string
		shown []*certified
		want  string // with ! before it that of the refusal
	}{
		{"any of the CA", nil, []*certified{root.issue(t, named())}, "client certificate"},
		{"one for clients", nil, []*certified{root.issue(t, use(named(), x509.ExtKeyUsageClientAuth))}, "client certificate"},
		{"one for servers, of any name", nil, []*certified{root.issue(t, use(named(quay), x509.ExtKeyUsageServerAuth))}, "!does not count"},
		{"one for servers, of a name", []string{quay}, []*certified{root.issue(t, use(named(quay), x509.ExtKeyUsageServerAuth))}, "client certificate of " + quay},
		{"one for mail", []string{quay}, []*certified{root.issue(t, use(named(quay), x509.ExtKeyUsageEmailProtection))}, "!does not count"},
		{"names ignore case", []string{"QUAY.example.com."}, []*certified{root.issue(t, named("a.example.com", "Quay.Example.com"))}, "client certificate of " + quay},
		{"another name", []string{quay}, []*certified{root.issue(t, named("example.com"))}, "!none of the hook's names"},
		{"a wildcard", []string{quay, "*.example.com"}, []*certified{root.issue(t, named("*.example.com"))}, "!none of the hook's names"},
		{"a common name", []string{quay}, []*certified{root.issue(t, x509.Certificate{Subject: pkix.Name{CommonName: quay}})}, "!none of the hook's names"},
		{"a chain", nil, []*certified{middle.issue(t, named()), middle}, "client certificate"},
		{"a chain with a gap", nil, []*certified{middle.issue(t, named())}, "!does not count"},
		{"a CA of the same name", nil, []*certified{stranger.issue(t, named()), stranger}, "!does not count"},
		{"none", nil, nil, "!showed no certificate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := mustGate(t, Config{Auth: &Auth{Certificate: &ClientCertificate{CAFile: file, Names: c.names}}})
			r := request()
			for _, a := range c.shown {
				r.Certificates = append(r.Certificates, a.certificate)
			}
			words, err := g.Verify(context.Background(), r)
			want, refusal := strings.CutPrefix(c.want, "!")
			if refusal && (err == nil || !strings.Contains(err.Error(), want)) || !refusal && (err != nil || words != want) {
				t.Errorf("%q, %v; want %q", words, err, c.want)
			}
			if !g.UsesCertificate() {
				t.Error("it uses no certificate")
			}
			r.Received = r.Received.Add(2 * time.Hour)
			if words, err := g.Verify(context.Background(), r); err == nil {
				t.Errorf("it passes when it has expired: %s", words)
			}
		})
	}
}
