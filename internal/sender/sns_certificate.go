package sender

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"sync"
	"time"
)

// snsCertificates gives the certificates, one of which may have signed a message
// that names url, which was checked. The error is none of the delivery's.
type snsCertificates interface {
	at(ctx context.Context, url string) ([]*x509.Certificate, error)
}

// snsName is the name of a certificate that SNS signs with. It is
// sns.amazonaws.com in the usual regions and in the documentation's example a
// region's (https://github.com/awsdocs/amazon-sns-developer-guide/issues/7).
var snsName = regexp.MustCompile(`^sns\.([a-z0-9-]{3,}\.)?amazonaws\.com(\.cn)?$`)

// acceptable checks a certificate's name and dates, as Amazon's own library for
// Java does (SignatureVerifier).
func acceptable(c *x509.Certificate, now time.Time) error {
	names := c.DNSNames
	if len(names) == 0 {
		names = []string{c.Subject.CommonName}
	}
	switch {
	case !slices.ContainsFunc(names, snsName.MatchString):
		return errors.New("the certificate is not one of SNS: it is for another name")
	case now.Before(c.NotBefore):
		return fmt.Errorf("the certificate is not valid before %s", c.NotBefore.UTC().Format(time.RFC3339))
	case now.After(c.NotAfter):
		return fmt.Errorf("the certificate expired at %s", c.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

// readCertificates reads PEM.
func readCertificates(text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d cannot be read: %w", len(all)+1, err)
		}
		all = append(all, certificate)
	}
	if len(all) == 0 {
		return nil, errors.New("there is no certificate (in PEM) in it")
	}
	return all, nil
}

// snsRemote fetches certificates from Amazon.
//
// What vouches for one is the TLS connection to the SNS host that it was fetched
// from. Its own chain is checked as far as it can be: Amazon's file usually holds
// the one certificate, not the intermediate that issued it, and Pawl asks no
// other host for that one. So: a certificate that nobody but itself issued does
// not count; where the file has intermediates the chain must end at a root that
// this machine trusts; and name and dates are checked with each message.
type snsRemote struct {
	kept  *fetched[[]*x509.Certificate]
	roots *x509.CertPool // nil: the system's
}

func newSNSRemote(client *http.Client) *snsRemote {
	f := newFetcher(client, certificatePlace)
	r := &snsRemote{}
	r.kept = newFetched(24*time.Hour, func(ctx context.Context, url string) ([]*x509.Certificate, error) {
		text, err := f.get(ctx, url)
		if err != nil {
			return nil, err
		}
		all, err := readCertificates(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", url, err)
		}
		if err := r.issued(all); err != nil {
			return nil, fmt.Errorf("%s: %w", url, err)
		}
		return all[:1], nil
	})
	return r
}

func (r *snsRemote) at(ctx context.Context, url string) ([]*x509.Certificate, error) {
	return r.kept.get(ctx, url)
}

// issued checks the chain of the first certificate, at the present time: what is
// kept is checked for its dates again.
func (r *snsRemote) issued(all []*x509.Certificate) error {
	leaf := all[0]
	if bytes.Equal(leaf.RawIssuer, leaf.RawSubject) {
		return errors.New("the certificate is self-signed; Amazon's are issued by a public authority")
	}
	if len(all) == 1 {
		return nil
	}
	options := x509.VerifyOptions{Roots: r.roots, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	for _, c := range all[1:] {
		options.Intermediates.AddCert(c)
	}
	if _, err := leaf.Verify(options); err != nil {
		return fmt.Errorf("the certificate's chain: %w", err)
	}
	return nil
}

// snsFile has certificates in a file that the operator trusts; nothing is
// fetched. It is read again when it changes.
type snsFile struct {
	path string

	mu   sync.Mutex
	seen stamp
	all  []*x509.Certificate
}

func newSNSFile(path string) (*snsFile, error) {
	f := &snsFile{path: path}
	_, err := f.at(context.Background(), "")
	return f, err
}

func (f *snsFile) at(context.Context, string) ([]*x509.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, err := stampOf(f.path)
	if err == nil && (f.all == nil || now != f.seen) {
		var text []byte
		var all []*x509.Certificate
		if text, err = readBounded(f.path); err == nil {
			if all, err = readCertificates(text); err == nil {
				f.all, f.seen = all, now
			} else {
				err = fmt.Errorf("%s: %w", f.path, err)
			}
		}
	}
	if f.all != nil {
		return f.all, nil // what was good last counts
	}
	return nil, err
}

// stamp tells whether a file changed.
type stamp struct {
	modified time.Time
	size     int64
}

func stampOf(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	return stamp{info.ModTime(), info.Size()}, nil
}

// readBounded reads a file of keys.
func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no plain file", path)
	case info.Size() > maxFetched:
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxFetched)
	}
	return os.ReadFile(path)
}
