package admin

import (
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/pawlhq/pawl/internal/run"
)

// Delivery is one request to a hook as it is stored: what lets its bearer in
// was withheld from it.
type Delivery struct {
	ID          string    `json:"id"`
	Received    time.Time `json:"received"`
	Method      string    `json:"method"`
	Path        string    `json:"path"`
	Query       string    `json:"query,omitempty"`
	Host        string    `json:"host,omitempty"`
	RemoteAddr  string    `json:"remote_addr"` // "address:port", or "@" on a Unix socket
	ContentType string    `json:"content_type,omitempty"`
	SenderID    string    `json:"sender_id,omitempty"` // the sender's own id of it
	Verified    string    `json:"verified,omitempty"`  // what authenticated it, in words; missing where nobody was asked
	Origin      *Origin   `json:"origin,omitempty"`    // missing where a sender sent it
	Size        int       `json:"body_bytes"`

	// What only the answer about a delivery has:
	Header http.Header `json:"headers,omitempty"`
	Text   *string     `json:"body,omitempty"` // missing where the body is no UTF-8 text
	Body   []byte      `json:"body_base64,omitempty"`
}

// credentials are headers that are never shown, whatever an engine has stored.
func credentials() []string {
	return []string{"Authorization", "Proxy-Authorization", "Cookie"}
}

// describeDelivery tells a delivery, without headers and body.
func describeDelivery(d *run.Delivery) *Delivery {
	return &Delivery{
		ID: d.ID, Received: d.Received.UTC(), Method: d.Method, Path: d.Path, Query: d.RawQuery,
		Host: d.Host, RemoteAddr: d.RemoteAddr, ContentType: d.Header.Get("Content-Type"),
		SenderID: d.SenderID, Verified: d.Verified, Origin: describeOrigin(d.Origin), Size: len(d.Body),
	}
}

// describeWhole tells a delivery with headers and body.
func describeWhole(d *run.Delivery) *Delivery {
	whole := describeDelivery(d)
	whole.Header = d.Header.Clone()
	for _, name := range credentials() {
		for i := range whole.Header[name] {
			whole.Header[name][i] = run.Withheld
		}
	}
	whole.Body = d.Body
	if utf8.Valid(d.Body) {
		text := string(d.Body)
		whole.Text = &text
	}
	return whole
}
