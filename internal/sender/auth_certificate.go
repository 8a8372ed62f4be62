package sender

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
)

// certificateCheck wants a client certificate that a CA issued.
type certificateCheck struct {
	roots  *x509.CertPool
	names  []string // lower case; none: any
	usages []x509.ExtKeyUsage
}

func newCertificate(c *ClientCertificate) (check, error) {
	if c.CAFile == "" {
		return nil, &ConfigError{"auth.client-certificate.ca", "name the file of the CA whose certificates count, as in ca: {file: /etc/ssl/ca.pem}"}
	}
	text, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, &ConfigError{"auth.client-certificate.ca", fmt.Sprintf("read the CA: %v", err)}
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, &ConfigError{"auth.client-certificate.ca", c.CAFile + " holds no certificate in PEM"}
	}
	check := certificateCheck{roots: roots, usages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, name := range c.Names {
		check.names = append(check.names, strings.ToLower(strings.TrimSuffix(name, ".")))
	}
	if len(check.names) > 0 {
		// Senders show the certificate that they serve with (Quay its ssl.cert),
		// which may be for servers alone. Where the hook names whose it must be,
		// that is no weaker; where it does not, every server of the CA could call.
		check.usages = append(check.usages, x509.ExtKeyUsageServerAuth)
	}
	return check, nil
}

func (certificateCheck) early() bool { return true }

func (c certificateCheck) verify(_ context.Context, r *Request) (string, error) {
	if len(r.Certificates) == 0 {
		return "", withheld("client-certificate", "the client showed no certificate")
	}
	intermediates := x509.NewCertPool()
	for _, certificate := range r.Certificates[1:] {
		intermediates.AddCert(certificate)
	}
	leaf := r.Certificates[0]
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: c.roots, Intermediates: intermediates, CurrentTime: r.Received, KeyUsages: c.usages,
	})
	if err != nil {
		return "", withheld("client-certificate", "the client's certificate does not count: "+err.Error())
	}
	if len(c.names) == 0 {
		return "client certificate", nil
	}
	for _, has := range leaf.DNSNames {
		for _, name := range c.names {
			// The names are compared as they stand: a certificate for *.example.com
			// is nobody's name.
			if strings.EqualFold(has, name) && !strings.Contains(has, "*") {
				return "client certificate of " + name, nil
			}
		}
	}
	return "", withheld("client-certificate", "the client's certificate is for none of the hook's names")
}

func (certificateCheck) credential(delivery.Source, string) bool { return false }

func (certificateCheck) sign(*Outgoing) error {
	return errors.New("the hook wants a client certificate, and only the sender has its key")
}

func (c certificateCheck) hints(r *Request) []string {
	if _, err := c.verify(context.Background(), r); err == nil || len(r.Certificates) == 0 {
		return nil
	}
	leaf := r.Certificates[0]
	// Quoted: whoever made the certificate chose the names.
	hints := []string{fmt.Sprintf("the certificate is for %q, issued by %q, valid from %s to %s",
		orNone(strings.Join(leaf.DNSNames, ", ")), orNone(leaf.Issuer.CommonName),
		leaf.NotBefore.Format("2006-01-02"), leaf.NotAfter.Format("2006-01-02"))}
	if len(leaf.DNSNames) == 0 && leaf.Subject.CommonName != "" {
		hints = append(hints, fmt.Sprintf("it names %q as common name alone; only DNS names (subjectAltName) count", leaf.Subject.CommonName))
	}
	return hints
}

func orNone(text string) string {
	if text == "" {
		return "nobody"
	}
	return text
}

func (c certificateCheck) String() string {
	if len(c.names) == 0 {
		return "a client certificate of the hook's CA"
	}
	return "a client certificate of the hook's CA for " + strings.Join(c.names, " or ")
}
