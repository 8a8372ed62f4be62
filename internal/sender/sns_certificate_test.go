package sender

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestSNSFetchesCertificates(t *testing.T) {
	good, root := goodCertificate(t), rootPEM(t)
	for name, test := range map[string]struct {
		file    []byte
		refused string // "": it passes
		failed  string // the certificate cannot be had
	}{
		"one":                       {file: good},
		"with its authority":        {file: append(append([]byte{}, good...), root...)},
		"self-signed":               {file: issue(t, "sns.amazonaws.com", snsNow.AddDate(0, -1, 0), snsNow.AddDate(15, 0, 0), true), failed: "self-signed"},
		"of a region":               {file: issue(t, "sns.eu-central-1.amazonaws.com", snsNow.AddDate(0, -1, 0), snsNow.AddDate(15, 0, 0), false)},
		"of another name":           {file: issue(t, "s3.amazonaws.com", snsNow.AddDate(0, -1, 0), snsNow.AddDate(15, 0, 0), false), refused: "for another name"},
		"of a name that ends so":    {file: issue(t, "evil-sns.amazonaws.com", snsNow.AddDate(0, -1, 0), snsNow.AddDate(15, 0, 0), false), refused: "for another name"},
		"expired":                   {file: issue(t, "sns.amazonaws.com", snsNow.AddDate(-1, 0, 0), snsNow.Add(-time.Second), false), refused: "the certificate expired at 2026-06-11T09:29:59Z"},
		"not yet valid":             {file: issue(t, "sns.amazonaws.com", snsNow.Add(time.Second), snsNow.AddDate(1, 0, 0), false), refused: "not valid before"},
		"chain of others":           {file: append(append([]byte{}, good...), strangers(t)...), failed: "the certificate's chain"},
		"the authority alone, last": {file: append(append([]byte{}, root...), good...), failed: "self-signed"},
		"no certificate":            {file: []byte("<UnknownOperationException/>"), failed: "no certificate"},
		"damaged":                   {file: []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), failed: "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newInternet(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(test.file) })
			made, err := newSNS(&SNS{Topics: []string{topic}}, server.client)
			if err != nil {
				t.Fatal(err)
			}
			remote, ok := made.(snsCheck).certificates.(*snsRemote)
			if !ok {
				t.Fatal("nothing is fetched")
			}
			if name != "chain of others" {
				remote.roots = x509.NewCertPool()
				remote.roots.AppendCertsFromPEM(root)
			}
			for range 3 {
				_, err := made.verify(t.Context(), snsRequest(signSNS(t, notification(), amazon().key)))
				refusal := (*RefusedError)(nil)
				if !says(err, test.refused+test.failed) || err != nil && errors.As(err, &refusal) != (test.failed == "") {
					t.Errorf("%v; want refused %q, failed %q", err, test.refused, test.failed)
				}
			}
			if asked := server.asked.Load(); asked != 1 {
				t.Errorf("three messages fetched %d times", asked)
			}
		})
	}
}

// strangers is an authority that did not issue the certificate.
func strangers(t *testing.T) []byte {
	t.Helper()
	template := authority()
	template.Subject.CommonName = "Another Authority"
	der, err := x509.CreateCertificate(rand.Reader, template, template, &amazon().other.PublicKey, amazon().other)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// A certificate that cannot be had is none of the delivery's faults: it is no
// refusal, so that the sender tries again.
func TestSNSCertificateUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := newSNS(&SNS{Topics: []string{topic}}, &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			return nil, errors.New("no route to host")
		})})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.verify(t.Context(), snsRequest(signSNS(t, notification(), amazon().key)))
		refusal := (*RefusedError)(nil)
		if !says(err, "no route to host") || errors.As(err, &refusal) {
			t.Errorf("%v", err)
		}
	})
}

// A file of certificates is read again when it changes; while it is damaged or
// gone what was good last counts.
func TestSNSCertificateFile(t *testing.T) {
	c, path := fromFile(t, strangers(t))
	write := func(text []byte, age time.Duration) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path, text, 0o600), os.Chtimes(path, time.Time{}, time.Now().Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	body := signSNS(t, notification(), amazon().key)
	want := func(step, text string) {
		t.Helper()
		if _, err := c.verify(t.Context(), snsRequest(body)); !says(err, text) {
			t.Errorf("%s: %v", step, err)
		}
	}
	want("another's", "not that of Amazon's")
	write(goodCertificate(t), time.Hour)
	want("exchanged", "")
	write([]byte("damaged"), 2*time.Hour)
	want("damaged", "")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	want("gone", "")
}
