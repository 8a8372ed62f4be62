package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
)

// TLSOptions are webhook's, by the same names.
type TLSOptions struct {
	Cert string // path of the certificate and its chain, PEM
	Key  string // path of its private key, PEM
	// MinVersion is "1.0", "1.1", "1.2" or "1.3"; "1.2" when empty.
	MinVersion string
	// CipherSuites are names out of CipherSuiteNames, with commas between; Go's
	// choice when empty. Those of TLS 1.3 are always on and cannot be chosen.
	CipherSuites string
	// AskClients is asked at each handshake whether the client shall show a
	// certificate. It may have none and connect all the same: whose certificate
	// counts is for hooks to say. Nil: no client is asked.
	AskClients func() bool
	// Log is told when the certificate was read again, or could not be, in words
	// for the operator. May be nil. Handshakes wait for it.
	Log func(string)
}

// TLS returns the configuration for a server. The certificate is read at once,
// and read again when its files change: written, renamed over, or behind a link
// that points elsewhere now. While the new pair cannot be used (one of the two
// is not written yet, or may not be read) the last good one stays.
//
// HTTP/2 is on, except with cipher suites that leave out what it demands.
func TLS(options TLSOptions) (*tls.Config, error) {
	version, err := tlsVersion(options.MinVersion)
	if err != nil {
		return nil, err
	}
	suites, err := cipherSuites(options.CipherSuites)
	if err != nil {
		return nil, err
	}
	pair, err := readKeyPair(options.Cert, options.Key, options.Log)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.current(), nil },
		MinVersion:     version,
		CipherSuites:   suites,
		NextProtos:     []string{"h2", "http/1.1"},
	}
	if !allowsHTTP2(config) {
		config.NextProtos = []string{"http/1.1"}
	}
	if options.AskClients != nil {
		asking := askingClients(config)
		config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			if options.AskClients() {
				return asking, nil
			}
			return nil, nil // config itself
		}
	}
	return config, nil
}

// askingClients is config for clients that are asked for a certificate: the
// handshake has them prove that they hold its key, and leaves its issuer and names
// to the hooks. Sessions are not resumed: in one from before a reload nobody was
// asked, and it would go on without a certificate.
func askingClients(config *tls.Config) *tls.Config {
	asking := config.Clone()
	asking.ClientAuth = tls.RequestClientCert
	asking.SessionTicketsDisabled = true
	return asking
}

func tlsVersion(name string) (uint16, error) {
	switch name {
	case "1.0":
		return tls.VersionTLS10, nil
	case "1.1":
		return tls.VersionTLS11, nil
	case "1.2", "":
		return tls.VersionTLS12, nil
	case "1.3":
		return tls.VersionTLS13, nil
	}
	return 0, fmt.Errorf("unknown TLS version %q for -tls-min-version: choose 1.0, 1.1, 1.2 or 1.3", name)
}

// CipherSuiteNames returns the names of the cipher suites that can be used from
// this TLS version on (as in TLSOptions.MinVersion), without those that Go holds
// for insecure.
func CipherSuiteNames(minVersion string) ([]string, error) {
	version, err := tlsVersion(minVersion)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, suite := range tls.CipherSuites() {
		if suite.SupportedVersions[len(suite.SupportedVersions)-1] >= version {
			names = append(names, suite.Name)
		}
	}
	return names, nil
}

// cipherSuites finds suites by their names. None are nil: Go's own choice.
func cipherSuites(list string) ([]uint16, error) {
	if strings.TrimSpace(list) == "" {
		return nil, nil
	}
	known := map[string]uint16{}
	for _, suite := range tls.CipherSuites() {
		known[suite.Name] = suite.ID
	}
	var ids []uint16
	var unknown []error
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		id, ok := known[name]
		if !ok {
			unknown = append(unknown, fmt.Errorf("unknown TLS cipher suite %q%s", name, insecure(name)))
			continue
		}
		ids = append(ids, id)
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("%w (-list-cipher-suites shows those that can be used)", errors.Join(unknown...))
	}
	return ids, nil
}

func insecure(name string) string {
	for _, suite := range tls.InsecureCipherSuites() {
		if suite.Name == name {
			return ", which is insecure and not offered"
		}
	}
	return ""
}

// allowsHTTP2 reports whether net/http can speak HTTP/2 with these suites. With
// TLS 1.2 the protocol demands one of two (RFC 9113, section 9.2.2), and
// net/http refuses to serve without.
func allowsHTTP2(config *tls.Config) bool {
	if config.CipherSuites == nil || config.MinVersion >= tls.VersionTLS13 {
		return true
	}
	for _, id := range config.CipherSuites {
		if id == tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 || id == tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 {
			return true
		}
	}
	return false
}
