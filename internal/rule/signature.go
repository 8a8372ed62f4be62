package rule

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
	"time"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/secret"
)

// SignatureError says that a signature was there and wrong. It never holds the
// signature that would have been right.
type SignatureError struct{ Reason string }

func (e *SignatureError) Error() string { return e.Reason }

var errNoSecret = errors.New("the signature's secret is empty: nothing can be verified with it")

// scalrTolerance is how far a Scalr date may be from the time of the delivery
// (as in webhook).
const scalrTolerance = 300 * time.Second

// scalrDate is the form of the Date header that Scalr signs.
const scalrDate = "Mon 02 Jan 2006 15:04:05 MST"

// equal compares in a time that does not tell how much was right.
func equal(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// signatureAlgorithm names the hash of a payload-hmac-… rule, or of its
// deprecated name payload-hash-….
func signatureAlgorithm(ruleType string) (string, bool) {
	for _, prefix := range []string{"payload-hmac-", "payload-hash-"} {
		if algorithm, ok := strings.CutPrefix(ruleType, prefix); ok && newHash(algorithm) != nil {
			return algorithm, true
		}
	}
	return "", false
}

func newHash(algorithm string) func() hash.Hash {
	switch algorithm {
	case "sha1":
		return sha1.New
	case "sha256":
		return sha256.New
	case "sha512":
		return sha512.New
	}
	return nil
}

// signature holds when a value is the HMAC of the raw body.
type signature struct {
	parameter delivery.Ref
	algorithm string
	secret    secret.Value
}

func (s *signature) check() error {
	if s.secret.Empty() {
		return errNoSecret
	}
	return nil
}

// Evaluate is true or an error: a wrong signature is never just false, so that
// no rule around it can turn it into true. The signature is hexadecimal, with
// or without "sha256=" before it; of several with commas between them only
// those with the prefix count.
func (s *signature) Evaluate(r *Request) (bool, error) {
	if r.Replayed {
		return true, nil
	}
	got, err := r.Value(s.parameter)
	if err != nil {
		return false, err
	}
	if err := s.check(); err != nil {
		return false, err
	}
	mac := hmac.New(newHash(s.algorithm), []byte(s.secret.Reveal()))
	mac.Write(r.Body)
	want := hex.EncodeToString(mac.Sum(nil))
	prefix := s.algorithm + "="
	if !strings.Contains(got, ",") {
		if equal(strings.TrimPrefix(got, prefix), want) {
			return true, nil
		}
		return false, s.wrong(r)
	}
	for part := range strings.SplitSeq(got, ",") {
		if sum, ok := strings.CutPrefix(strings.TrimSpace(part), prefix); ok && equal(sum, want) {
			return true, nil
		}
	}
	return false, s.wrong(r)
}

func (s *signature) wrong(r *Request) error {
	reason := fmt.Sprintf("the %s signature in %s %q is not the body's", s.algorithm, s.parameter.Source, s.parameter.Name)
	if len(r.Body) == 0 {
		reason += " (the body is empty)"
	}
	return &SignatureError{reason}
}

// scalr holds when X-Signature is the HMAC-SHA1 of the body and the Date header
// (https://docs.scalr.com), and that date is near the time of the delivery.
type scalr struct{ secret secret.Value }

func (s *scalr) Evaluate(r *Request) (bool, error) {
	if r.Replayed {
		return true, nil
	}
	sums, dates := r.Header["X-Signature"], r.Header["Date"]
	if len(sums) == 0 || len(dates) == 0 {
		return false, nil
	}
	if s.secret.Empty() {
		return false, errNoSecret
	}
	mac := hmac.New(sha1.New, []byte(s.secret.Reveal()))
	mac.Write(r.Body)
	mac.Write([]byte(dates[0]))
	if !equal(sums[0], hex.EncodeToString(mac.Sum(nil))) {
		return false, &SignatureError{"the Scalr signature in X-Signature is not that of the body and the date"}
	}
	date, err := time.Parse(scalrDate, dates[0])
	if err != nil {
		return false, fmt.Errorf("read the date that Scalr signed: %w", err)
	}
	if r.Received.Sub(date).Abs() > scalrTolerance {
		return false, &SignatureError{fmt.Sprintf("the Scalr signature is of %s, more than %s away", dates[0], scalrTolerance)}
	}
	return true, nil
}
