package server

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/hook"
)

// authority issues certificates of clients.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	pem         []byte
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	a := authority{key: newKey(t)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue makes a certificate for a client of that name, good until then.
func (a authority) issue(t *testing.T, name string, until time.Time) tls.Certificate {
	t.Helper()
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// serveHooksTLS serves the hooks that are in force over TLS, as pawl does.
func serveHooksTLS(t *testing.T, e Engine, current *atomic.Pointer[hook.Set]) (address string, roots *x509.CertPool) {
	t.Helper()
	s := serverOf(t, "[]", e, func(o *Options) { o.Hooks = current.Load })
	d, pair := pairDir{t, t.TempDir()}, newPair(t, "served")
	d.put(pair.cert, pair.key)
	config := mustTLS(t, TLSOptions{Cert: d.path("cert.pem"), Key: d.path("key.pem"), AskClients: func() bool { return current.Load().WantsCertificates() }})
	l := mustListen(t, ListenOptions{IP: "127.0.0.1"})
	address = l.All[0].Addr().String()
	l.WithTLS(config)
	served := make(chan error, 1)
	ctx := t.Context() // ends before the cleanup
	go func() { served <- s.Serve(ctx, t.Context(), l, config, time.Minute) }()
	t.Cleanup(func() {
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(pair.cert)
	return address, roots
}

// setOf is the hooks of one file.
func setOf(t *testing.T, file string) *atomic.Pointer[hook.Set] {
	t.Helper()
	var current atomic.Pointer[hook.Set]
	current.Store(hook.NewSet(hooksOf(t, file)))
	return &current
}

// certified is a hook that asks for a certificate of that authority and name.
func (a authority) certified(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, a.pem, 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`
- {id: quay, execute-command: x, sender: quay, auth: {client-certificate: {ca: {file: %q}, names: [quay.example.org]}}}
- {id: plain, execute-command: x}
`, file)
}

// client makes a client that shows these certificates, whoever is said to be
// trusted.
func client(t *testing.T, roots *x509.CertPool, http2 bool, version uint16, shown ...tls.Certificate) *http.Client {
	t.Helper()
	config := &tls.Config{RootCAs: roots, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	if len(shown) > 0 {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &shown[0], nil }
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: http2}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// call posts to a hook and gives the status.
func call(t *testing.T, c *http.Client, address, hook string) int {
	t.Helper()
	response, err := c.Post("https://"+address+"/hooks/"+hook, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Error(err)
		return 0
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response.StatusCode
}

func TestClientCertificates(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	e := &fakeEngine{}
	address, roots := serveHooksTLS(t, e, setOf(t, ours.certified(t)))
	soon := time.Now().Add(time.Hour)
	tests := []struct {
		name   string
		shown  []tls.Certificate
		status int
	}{
		{"the right one", []tls.Certificate{ours.issue(t, "quay.example.org", soon)}, 200},
		{"none", nil, 401},
		{"of another name", []tls.Certificate{ours.issue(t, "other.example.org", soon)}, 401},
		{"of the right name by another authority", []tls.Certificate{theirs.issue(t, "quay.example.org", soon)}, 401},
		{"of the past", []tls.Certificate{ours.issue(t, "quay.example.org", time.Now().Add(-time.Minute))}, 401},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				for _, http2 := range []bool{false, true} {
					c := client(t, roots, http2, version, test.shown...)
					if got := call(t, c, address, "quay"); got != test.status {
						t.Errorf("%s, HTTP/2 %t: answered %d, want %d", tls.VersionName(version), http2, got, test.status)
					}
					if got := call(t, c, address, "plain"); got != 200 {
						t.Errorf("%s, HTTP/2 %t: a hook that asks for none answered %d", tls.VersionName(version), http2, got)
					}
				}
			}
		})
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, id := range e.submitted {
		if id == "quay" {
			return
		}
	}
	t.Error("nothing ran")
}

// TestAReloadThatAsksForCertificatesIsHeard, by clients whose connections and
// sessions are older.
func TestAReloadThatAsksForCertificatesIsHeard(t *testing.T) {
	ours := newAuthority(t)
	certified := hook.NewSet(hooksOf(t, ours.certified(t)))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, http2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, HTTP/2 %t", tls.VersionName(version), http2), func(t *testing.T) {
				current := setOf(t, `[{id: quay, execute-command: x}]`)
				address, roots := serveHooksTLS(t, &fakeEngine{}, current)
				c := client(t, roots, http2, version, ours.issue(t, "quay.example.org", time.Now().Add(time.Hour)))
				if got := call(t, c, address, "quay"); got != 200 {
					t.Fatalf("before: answered %d", got)
				}
				current.Store(certified)
				if got := call(t, c, address, "quay"); got != 401 {
					t.Errorf("on the old connection: answered %d, want 401", got)
				}
				if got := call(t, c, address, "quay"); got != 200 {
					t.Errorf("on the next: answered %d, want 200", got)
				}
			})
		}
	}
}
