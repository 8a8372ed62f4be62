package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// renewalStep is a step of a renewal, which a handshake a second later follows.
type renewalStep struct {
	name string
	do   func(d pairDir)
	use  string // the certificate that the handshake gets
	log  string // a part of what the log is told; nothing when empty
}

// renewals begin with the pair one.
func renewals(one, two, three pemPair) map[string][]renewalStep {
	return map[string][]renewalStep{
		"both written": {
			{"nothing", func(pairDir) {}, "one", ""},
			{"renewal", func(d pairDir) { d.put(two.cert, two.key) }, "two", "cert.pem was read again"},
			{"nothing", func(pairDir) {}, "two", ""},
			{"renewal", func(d pairDir) { d.put(three.cert, three.key) }, "three", "was read again"},
		},
		"the key after the certificate": {
			{"certificate", func(d pairDir) { d.put(two.cert, nil) }, "one", ""},
			{"key", func(d pairDir) { d.put(nil, two.key) }, "two", "was read again"},
		},
		"the certificate long after the key": {
			{"key", func(d pairDir) { d.put(nil, two.key) }, "one", ""},
			{"nothing", func(pairDir) {}, "one", "private key does not match"},
			{"nothing", func(pairDir) {}, "one", ""},
			{"certificate", func(d pairDir) { d.put(two.cert, nil) }, "two", "was read again"},
		},
		"a certificate that is none": {
			{"garbage", func(d pairDir) { d.put([]byte("oops"), nil) }, "one", ""},
			{"nothing", func(pairDir) {}, "one", "cert.pem"},
			{"nothing", func(pairDir) {}, "one", ""},
			{"the old one is back", func(d pairDir) { d.put(one.cert, nil) }, "one", "can be read again"},
			{"renewal", func(d pairDir) { d.put(two.cert, two.key) }, "two", "was read again"},
		},
		"a key that is away": {
			{"removal", func(d pairDir) { d.must(os.Remove(d.path("key.pem"))) }, "one", ""},
			{"nothing", func(pairDir) {}, "one", "(-key)"},
			{"renewal", func(d pairDir) { d.put(two.cert, two.key) }, "two", "was read again"},
		},
		"the same again": {
			{"touch", func(d pairDir) { d.put(one.cert, one.key) }, "one", ""},
			{"renewal", func(d pairDir) { d.put(two.cert, two.key) }, "two", "was read again"},
		},
		"in place, within the precision of its time": {
			{"renewal", func(d pairDir) { d.put(two.cert, two.key); d.age(0) }, "two", "was read again"},
			{"renewal", func(d pairDir) { d.put(three.cert, three.key); d.age(time.Second) }, "three", "was read again"},
		},
		"at rest for long": {
			{"age", func(d pairDir) { d.age(time.Hour) }, "one", ""},
			{"renewal", func(d pairDir) { d.put(two.cert, two.key) }, "two", "was read again"},
		},
		"a Kubernetes secret": {
			{"swap", func(d pairDir) { d.swap(one) }, "one", ""},
			{"swap", func(d pairDir) { d.swap(two); d.age(time.Hour) }, "two", "was read again"},
			{"swap", func(d pairDir) { d.swap(three); d.age(time.Hour) }, "three", "was read again"},
		},
	}
}

func TestTLSReadsTheCertificateAgain(t *testing.T) {
	one := newPair(t, "one")
	for name, steps := range renewals(one, newPair(t, "two"), newPair(t, "three")) {
		t.Run(name, func(t *testing.T) {
			d := pairDir{t, t.TempDir()}
			d.put(one.cert, one.key)
			synctest.Test(t, func(t *testing.T) {
				d := pairDir{t, d.root}
				var log []string
				config := mustTLS(t, TLSOptions{Cert: d.path("cert.pem"), Key: d.path("key.pem"), Log: func(m string) { log = append(log, m) }})
				for i, s := range steps {
					before := offered(t, config)
					s.do(d)
					time.Sleep(certificateCheck - 1)
					if got := offered(t, config); got != before {
						t.Errorf("step %d (%s): looked at the files after less than a second", i, s.name)
					}
					log = nil
					time.Sleep(time.Nanosecond)
					if got := offered(t, config); got != s.use {
						t.Errorf("step %d (%s): the certificate is %q, want %q", i, s.name, got, s.use)
					}
					said := strings.Join(log, "\n")
					if s.log == "" && said != "" || len(log) > 1 {
						t.Errorf("step %d (%s): the log says %q", i, s.name, said)
					}
					wantParts(t, said, s.log)
				}
			})
		})
	}
}

func TestTLSRefuses(t *testing.T) {
	d := pairDir{t, t.TempDir()}
	good, other := newPair(t, "good"), newPair(t, "other")
	d.put(good.cert, good.key)
	d.must(os.WriteFile(d.path("other.pem"), other.key, 0o600))
	for name, c := range map[string]struct {
		change func(o *TLSOptions)
		want   []string
	}{
		"a certificate that is not there": {func(o *TLSOptions) { o.Cert = d.path("none.pem") }, []string{"(-cert)", "none.pem", "no such file"}},
		"a key that is not there":         {func(o *TLSOptions) { o.Key = d.path("none.pem") }, []string{"(-key)", "none.pem", "no such file"}},
		"a key of another certificate":    {func(o *TLSOptions) { o.Key = d.path("other.pem") }, []string{"cert.pem", "other.pem", "does not match"}},
		"an unknown version":              {func(o *TLSOptions) { o.MinVersion = "1.4" }, []string{`"1.4"`, "-tls-min-version", "1.3"}},
		"an unknown cipher suite":         {func(o *TLSOptions) { o.CipherSuites = "TLS_AES_128_GCM_SHA256,NONSENSE" }, []string{`"NONSENSE"`, "-list-cipher-suites"}},
		"an insecure cipher suite":        {func(o *TLSOptions) { o.CipherSuites = "TLS_RSA_WITH_RC4_128_SHA" }, []string{"TLS_RSA_WITH_RC4_128_SHA", "insecure"}},
		"an empty name among others":      {func(o *TLSOptions) { o.CipherSuites = "TLS_AES_128_GCM_SHA256," }, []string{`unknown TLS cipher suite ""`}},
	} {
		t.Run(name, func(t *testing.T) {
			options := TLSOptions{Cert: d.path("cert.pem"), Key: d.path("key.pem")}
			c.change(&options)
			if _, err := TLS(options); err == nil {
				t.Error("it was taken")
			} else {
				wantParts(t, err.Error(), c.want...)
			}
		})
	}
}

func TestCipherSuiteNames(t *testing.T) {
	for _, c := range []struct {
		version    string
		has, lacks []string
	}{
		{"", []string{"TLS_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}, []string{"TLS_RSA_WITH_RC4_128_SHA"}},
		{"1.0", []string{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}, nil},
		{"1.3", []string{"TLS_AES_128_GCM_SHA256"}, []string{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}},
	} {
		names, err := CipherSuiteNames(c.version)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range c.has {
			if !slices.Contains(names, name) {
				t.Errorf("version %q: %s is missing in %v", c.version, name, names)
			}
		}
		for _, name := range c.lacks {
			if slices.Contains(names, name) {
				t.Errorf("version %q: %s is listed", c.version, name)
			}
		}
	}
	if _, err := CipherSuiteNames("2"); err == nil {
		t.Error("version 2 has cipher suites")
	}
}

// What clients get from a real server with these settings.
func TestTLSServes(t *testing.T) {
	const gcm, chacha = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
	for _, c := range []struct {
		name   string
		server TLSOptions
		client *tls.Config
		want   string // protocol and version; empty when the handshake fails
	}{
		{"a modern client", TLSOptions{}, &tls.Config{}, "HTTP/2.0 TLS 1.3"},
		{"by default not below 1.2", TLSOptions{}, &tls.Config{MaxVersion: tls.VersionTLS12}, "HTTP/2.0 TLS 1.2"},
		{"by default not 1.1", TLSOptions{}, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, ""},
		{"1.3 at least", TLSOptions{MinVersion: "1.3"}, &tls.Config{}, "HTTP/2.0 TLS 1.3"},
		{"1.3 at least, and a 1.2 client", TLSOptions{MinVersion: "1.3"}, &tls.Config{MaxVersion: tls.VersionTLS12}, ""},
		{"a chosen suite", TLSOptions{CipherSuites: gcm}, &tls.Config{MaxVersion: tls.VersionTLS12}, "HTTP/2.0 TLS 1.2"},
		{"another suite than the client's", TLSOptions{CipherSuites: gcm},
			&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}}, ""},
		{"suites that HTTP/2 does not do with", TLSOptions{CipherSuites: " " + chacha}, &tls.Config{MaxVersion: tls.VersionTLS12}, "HTTP/1.1 TLS 1.2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			address, roots := serveTLS(t, c.server)
			c.client.RootCAs = roots
			transport := &http.Transport{TLSClientConfig: c.client, ForceAttemptHTTP2: true}
			defer transport.CloseIdleConnections()
			response, err := (&http.Client{Transport: transport}).Get("https://" + address)
			if err != nil {
				if c.want != "" || !strings.Contains(err.Error(), "tls:") {
					t.Errorf("the client got %v", err)
				}
				return
			}
			_ = response.Body.Close()
			if got := response.Proto + " " + tls.VersionName(response.TLS.Version); got != c.want {
				t.Errorf("the client got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTLSTellsPlainClients(t *testing.T) {
	address, _ := serveTLS(t, TLSOptions{})
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	wantParts(t, string(answer), "400 Bad Request", "Client sent an HTTP request to an HTTPS server.")
}

// serveTLS serves on a free port with a certificate that roots confirm.
func serveTLS(t *testing.T, options TLSOptions) (address string, roots *x509.CertPool) {
	t.Helper()
	d, pair := pairDir{t, t.TempDir()}, newPair(t, "served")
	d.put(pair.cert, pair.key)
	options.Cert, options.Key = d.path("cert.pem"), d.path("key.pem")
	config := mustTLS(t, options)
	l := mustListen(t, ListenOptions{IP: "127.0.0.1"})
	address = l.All[0].Addr().String()
	l.WithTLS(config)
	server := &http.Server{TLSConfig: config, Handler: http.NotFoundHandler()}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l.All[0]) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-ended; err != http.ErrServerClosed {
			t.Errorf("the server ended with %v", err)
		}
	})
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(pair.cert)
	return address, roots
}

func mustTLS(t *testing.T, options TLSOptions) *tls.Config {
	t.Helper()
	config, err := TLS(options)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// offered returns the name in the certificate that a handshake would get.
func offered(t *testing.T, config *tls.Config) string {
	t.Helper()
	certificate, err := config.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return certificate.Leaf.Subject.CommonName
}

type pemPair struct{ cert, key []byte }

func newPair(t *testing.T, name string) pemPair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemPair{padded("CERTIFICATE", cert), padded("PRIVATE KEY", private)}
}

// padded returns a PEM block in a file of the same size as every other's, so
// that size alone never tells two of them apart.
func padded(kind string, der []byte) []byte {
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	return append(text, bytes.Repeat([]byte("\n"), 2000-len(text))...)
}

// pairDir is a directory with cert.pem and key.pem.
type pairDir struct {
	t    *testing.T
	root string
}

func (d pairDir) path(name string) string { return filepath.Join(d.root, name) }

func (d pairDir) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// put writes the two files, or only one, as of now by the test's clock.
func (d pairDir) put(cert, key []byte) {
	for name, content := range map[string][]byte{"cert.pem": cert, "key.pem": key} {
		if content != nil {
			d.must(os.WriteFile(d.path(name), bytes.Clone(content), 0o600))
			d.must(os.Chtimes(d.path(name), time.Time{}, time.Now()))
		}
	}
}

// age makes the files look as if they were written so long ago.
func (d pairDir) age(age time.Duration) {
	written := time.Now().Add(-age)
	for _, name := range []string{"cert.pem", "key.pem"} {
		d.must(os.Chtimes(d.path(name), time.Time{}, written))
	}
}

// swap makes the files links into a directory behind another link, and points
// that at a new directory, as the kubelet does.
func (d pairDir) swap(pair pemPair) {
	data, err := os.MkdirTemp(d.root, "..data")
	d.must(err)
	d.must(os.WriteFile(filepath.Join(data, "cert.pem"), pair.cert, 0o600))
	d.must(os.WriteFile(filepath.Join(data, "key.pem"), pair.key, 0o600))
	d.must(os.Symlink(data, d.path("..new")))
	d.must(os.Rename(d.path("..new"), d.path("..data")))
	for _, name := range []string{"cert.pem", "key.pem"} {
		_ = os.Remove(d.path(name)) // a link of an earlier swap, or the file before the first
		d.must(os.Symlink(filepath.Join("..data", name), d.path(name)))
	}
}
