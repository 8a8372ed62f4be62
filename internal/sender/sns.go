package sender

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // SignatureVersion 1 is SHA-1, and Amazon's default
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
)

// The types of Amazon SNS's messages.
const (
	snsNotification = "Notification"
	snsSubscribe    = "SubscriptionConfirmation"
	snsUnsubscribe  = "UnsubscribeConfirmation"
)

// snsHost is what Amazon's own validators take for a host of SNS. A region's
// name has no dot, so names below a bucket or a load balancer do not match.
// A region is told by its form: sns.s3-us-west-2.amazonaws.com is somebody's bucket.
var snsHost = regexp.MustCompile(`^sns\.[a-z]{2}(-[a-z]+)+-[0-9]+\.amazonaws\.com(\.cn)?$`)

// snsCheck verifies the signatures of Amazon SNS: RSA PKCS#1 v1.5 over some
// fields of the envelope, not over the body. There is no limit of age: SNS
// itself sends a message again for up to an hour, or later by a redrive; that a
// message comes twice is told by its id.
// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
type snsCheck struct {
	topics       []string
	certificates snsCertificates
}

// newSNS makes the check of auth.sns. client fetches certificates, unless a file
// has them; nil: one is made.
func newSNS(config *SNS, client *http.Client) (check, error) {
	if len(config.Topics) == 0 {
		return nil, &ConfigError{"auth.sns.topics", "name the ARN of each topic that may call, as in [arn:aws:sns:eu-central-1:123456789012:images]: anyone can make Amazon sign a topic of his own"}
	}
	for _, topic := range config.Topics {
		if parts := strings.Split(topic, ":"); len(parts) != 6 || parts[0] != "arn" || parts[2] != "sns" || parts[5] == "" {
			return nil, &ConfigError{"auth.sns.topics", fmt.Sprintf("%q is no topic's ARN, as arn:aws:sns:eu-central-1:123456789012:images is", topic)}
		}
	}
	c := snsCheck{topics: slices.Clone(config.Topics)}
	if config.CertificatesFile != "" {
		file, err := newSNSFile(config.CertificatesFile)
		if err != nil {
			return nil, &ConfigError{"auth.sns.certificates.file", err.Error()}
		}
		c.certificates = file
	} else {
		c.certificates = newSNSRemote(client)
	}
	return c, nil
}

func (snsCheck) early() bool { return false }

func (c snsCheck) verify(ctx context.Context, r *Request) (string, error) {
	e, err := readSNS(r.Body)
	if err != nil {
		return "", refused("sns", err.Error())
	}
	// All that is asked of the envelope's own words comes before anything is
	// fetched.
	if err := c.plausible(e); err != nil {
		return "", refused("sns", err.Error())
	}
	signature, err := base64.StdEncoding.DecodeString(e["Signature"])
	if err != nil || len(signature) == 0 {
		return "", refused("sns", "the Signature is not base64")
	}
	certificates, err := c.certificates.at(ctx, e["SigningCertURL"])
	if err != nil {
		return "", fmt.Errorf("the certificate of the SNS message cannot be had: %w", err)
	}
	reason := "the signature is not that of Amazon's certificate: the message was changed, or someone else signed it"
	for _, certificate := range certificates {
		if !e.signedBy(certificate, signature) {
			continue
		}
		err := acceptable(certificate, r.Received)
		if err == nil {
			return "SNS signature, version " + e["SignatureVersion"], nil
		}
		reason = err.Error()
	}
	return "", refused("sns", reason)
}

// plausible checks what needs no certificate.
func (c snsCheck) plausible(e envelope) error {
	switch e["Type"] {
	case snsNotification, snsSubscribe, snsUnsubscribe:
	default:
		return errors.New("the body is no message of SNS (no Type that is known); where raw message delivery is on there is no signature: switch it off")
	}
	if !slices.Contains(c.topics, e["TopicArn"]) {
		return fmt.Errorf("the topic %.200q is not among the hook's topics", e["TopicArn"])
	}
	if err := e.whole(); err != nil {
		return err
	}
	if v := e["SignatureVersion"]; v != "1" && v != "2" {
		return fmt.Errorf("SignatureVersion is %.20q, neither 1 nor 2", v)
	}
	if err := certificateURL(e["SigningCertURL"]); err != nil {
		return fmt.Errorf("SigningCertURL is not Amazon's: %w", err)
	}
	if where, ok := e["SubscribeURL"]; ok || e["Type"] == snsSubscribe {
		if err := snsURL(where); err != nil {
			return fmt.Errorf("SubscribeURL is not Amazon's: %w", err)
		}
	}
	return nil
}

func (snsCheck) credential(delivery.Source, string) bool { return false }

func (snsCheck) sign(*Outgoing) error {
	return errors.New("only Amazon can sign a message of SNS: publish to the topic (aws sns publish), or try the hook with pawl explain")
}

func (c snsCheck) hints(r *Request) []string {
	e, err := readSNS(r.Body)
	if err != nil || e["TopicArn"] == "" {
		return nil
	}
	for _, topic := range c.topics {
		if strings.EqualFold(topic, e["TopicArn"]) && topic != e["TopicArn"] {
			return []string{"the topic differs from one of the hook's in its letters' case alone"}
		}
	}
	if strings.Count(e["TopicArn"], ":") == 6 {
		return []string{"the ARN is a subscription's; a topic's has one part fewer"}
	}
	return nil
}

func (c snsCheck) String() string {
	return "the signature of Amazon SNS, for " + strings.Join(c.topics, ", ")
}

// snsURL checks that a URL is one of SNS's own.
func snsURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || text == "" {
		return errors.New("it is no URL")
	}
	return snsPlace(u)
}

func snsPlace(u *url.URL) error {
	if err := plainHTTPS(u); err != nil {
		return err
	}
	if !snsHost.MatchString(u.Host) {
		return errors.New("its host is none of SNS (sns.REGION.amazonaws.com)")
	}
	return nil
}

// certificateURL checks the URL of a certificate.
func certificateURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || text == "" {
		return errors.New("it is no URL")
	}
	return certificatePlace(u)
}

func certificatePlace(u *url.URL) error {
	switch err := snsPlace(u); {
	case err != nil:
		return err
	case u.RawQuery != "" || u.ForceQuery || u.RawPath != "" || !strings.HasSuffix(u.Path, ".pem"):
		return errors.New("its path is no certificate's (it does not end in .pem)")
	}
	return nil
}

// envelope is the members of an SNS message that are texts, decoded.
type envelope map[string]string

// readSNS reads a message of SNS. Of keys that are there twice the last counts,
// as everywhere in Pawl. The names' case counts, so a struct cannot be decoded.
func readSNS(body []byte) (envelope, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return nil, errors.New("the body is no JSON object, so it is no message of SNS")
	}
	e := make(envelope, len(members))
	for name, raw := range members {
		var text *string
		if json.Unmarshal(raw, &text) == nil && text != nil {
			e[name] = *text
		}
	}
	return e, nil
}

// whole checks that all is there that is signed, and that no line end but the
// Message's is in it: names and values are signed as lines, so that one value could
// else hold another's, and the id be any that one likes.
func (e envelope) whole() error {
	names := []string{"Message", "MessageId", "Timestamp", "TopicArn", "Type"}
	if e["Type"] != snsNotification {
		names = append(names, "SubscribeURL", "Token")
	}
	for _, name := range names {
		if _, ok := e[name]; !ok {
			return fmt.Errorf("the message of SNS has no %s", name)
		}
	}
	for _, name := range append(names[1:], "Subject") {
		if strings.ContainsAny(e[name], "\r\n") {
			return fmt.Errorf("there is a line end in %s, where SNS sends none", name)
		}
	}
	return nil
}

// signedBy verifies a signature. Whether the Token of an UnsubscribeConfirmation
// is signed is told in two ways by Amazon (its documentation: yes; its
// JavaScript validator: no), so either counts; nothing is done with the token.
func (e envelope) signedBy(certificate *x509.Certificate, signature []byte) bool {
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return false
	}
	names := []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	if e["Type"] != snsNotification {
		names = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	if e.verifies(key, names, signature) {
		return true
	}
	return e["Type"] == snsUnsubscribe && e.verifies(key, slices.DeleteFunc(names, func(name string) bool { return name == "Token" }), signature)
}

func (e envelope) verifies(key *rsa.PublicKey, names []string, signature []byte) bool {
	var canonical strings.Builder
	for _, name := range names {
		if text, ok := e[name]; ok {
			canonical.WriteString(name + "\n" + text + "\n")
		}
	}
	if e["SignatureVersion"] == "1" {
		sum := sha1.Sum([]byte(canonical.String())) //nolint:gosec // see above
		return rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature) == nil
	}
	sum := sha256.Sum256([]byte(canonical.String()))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
}

// unwrapSNS gives the Message of a Notification where it is JSON.
func unwrapSNS(d *run.Delivery) (Message, bool) {
	e, err := readSNS(d.Body)
	if err != nil || e["Type"] != snsNotification {
		return Message{}, false
	}
	return jsonMessage([]byte(e["Message"]))
}

// jsonMessage is a message that is an object or a list in JSON; other texts, also
// those that happen to be a number in JSON, are no payload.
func jsonMessage(text []byte) (Message, bool) {
	trimmed := strings.TrimLeft(string(text[:min(len(text), 64)]), " \t\r\n")
	if trimmed == "" || trimmed[0] != '{' && trimmed[0] != '[' || !json.Valid(text) {
		return Message{}, false
	}
	return Message{Body: text, ContentType: "application/json"}, true
}

// snsHandshake answers confirmations. Verify has refused other topics and hosts;
// the host is checked again all the same. Of a hook that authenticates its
// deliveries in another way nothing is fetched: see Confirms.
func snsHandshake(d *delivery.Delivery) *Handshake {
	e, err := readSNS(d.Body)
	if err != nil {
		return nil
	}
	switch e["Type"] {
	case snsSubscribe:
		if snsURL(e["SubscribeURL"]) != nil {
			return &Handshake{Status: http.StatusOK}
		}
		return &Handshake{Status: http.StatusOK, Fetch: e["SubscribeURL"]}
	case snsUnsubscribe:
		return &Handshake{Status: http.StatusOK}
	}
	return nil
}

// Confirms reports whether the Gate vouches for the URL of a Handshake: it has
// verified who signed it and for which topic. Without that nothing may be
// fetched, whatever else authenticates the delivery. A nil Gate does not.
func (g *Gate) Confirms() bool {
	return g != nil && slices.ContainsFunc(g.parts, func(p part) bool {
		_, ok := p.check.(snsCheck)
		return ok
	})
}

// Confirm fetches the URL of a Handshake, once: it is of SNS, whatever named it.
// client's transport is used; nil: one is made for the purpose. It takes at most
// ten seconds.
func Confirm(ctx context.Context, client *http.Client, where string) error {
	if err := snsURL(where); err != nil {
		return fmt.Errorf("confirm the subscription: the URL is not Amazon's: %w", err)
	}
	first, _ := url.Parse(where) // snsURL has read it
	f := newFetcher(client, func(u *url.URL) error {
		if u.Host != first.Host {
			return fmt.Errorf("it redirects to another host, %.100q", u.Host)
		}
		return snsPlace(u)
	})
	if _, err := f.get(ctx, where); err != nil {
		return fmt.Errorf("confirm the subscription: %w", err)
	}
	return nil
}
