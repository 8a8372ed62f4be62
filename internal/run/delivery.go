package run

import (
	"net/http"
	"time"
)

// Delivery is one HTTP request to a hook, kept as it came. It is never changed
// after it was accepted, and everything that a run needs of its request can be
// found again from it.
type Delivery struct {
	ID         string // UUIDv7, given when the request arrived
	Received   time.Time
	Method     string
	Path       string // decoded, as the router saw it
	RawQuery   string // without the question mark
	Host       string // the Host header; net/http keeps it apart from the others
	Header     http.Header
	Body       []byte // whole, undecoded
	RemoteAddr string // "address:port", or "@" on a Unix socket

	SenderID string // the sender's own id of it (delivery-id), where it gives one
	Verified string // what authenticated it, in words; "" where nothing was asked
	Origin   Origin

	// Credentials is what was taken out of Header, RawQuery and Path because it
	// lets its bearer in. It is nil where nothing was, or nothing of it is passed
	// on to a script; an engine deletes it when the delivery's runs have ended,
	// and nobody shows it.
	Credentials *Credentials
}

// Credentials holds the parts of a request that must not be kept.
type Credentials struct {
	Header   http.Header // the header lines that were withheld, whole
	RawQuery string      // the query as it came, where a part of it was withheld
	Path     string      // the path as it came, where a part of it was withheld
}

// Withheld stands in the place of a credential in a stored delivery.
const Withheld = "[withheld]"

// Whole is the delivery as it came: with its credentials, as far as they were
// kept. The Delivery itself stays as it is.
func (d *Delivery) Whole() *Delivery {
	if d.Credentials == nil {
		return d
	}
	whole := *d
	whole.Credentials = nil
	if d.Credentials.RawQuery != "" {
		whole.RawQuery = d.Credentials.RawQuery
	}
	if d.Credentials.Path != "" {
		whole.Path = d.Credentials.Path
	}
	if len(d.Credentials.Header) > 0 {
		whole.Header = d.Header.Clone()
		for name, values := range d.Credentials.Header {
			whole.Header[name] = values
		}
	}
	return &whole
}
