package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/pawlhq/pawl/internal/admin"
)

// client asks a running Pawl over the socket in its data directory.
type client struct {
	directory string
	http      *http.Client
}

func newClient(directory string) *client {
	return &client{directory, &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return admin.DialSocket(ctx, directory)
		},
	}}}
}

// request is what is asked.
type request struct {
	method string // "": GET
	path   string // below /api/v1
	query  url.Values
	body   []byte
}

// ask sends a request. The caller closes the answer's body. An answer that
// tells an error is one.
func (c *client) ask(ctx context.Context, r request) (*http.Response, error) {
	target := url.URL{Scheme: "http", Host: "localhost", Path: "/api/v1" + r.path, RawQuery: r.query.Encode()}
	asked, err := http.NewRequestWithContext(ctx, r.method, target.String(), bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	answer, err := c.http.Do(asked)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("ask the Pawl of %s: %w", c.directory, err)
	}
	if answer.StatusCode < http.StatusBadRequest {
		return answer, nil
	}
	defer answer.Body.Close()
	return nil, told(answer)
}

// maxError bounds the words of an error.
const maxError = 64 << 10

// told is the error that an answer tells.
func told(answer *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxError))
	known := &admin.Error{Status: answer.StatusCode}
	if err != nil || json.Unmarshal(text, known) != nil || known.Text == "" {
		return fmt.Errorf("it answers %s: %s", answer.Status, clean(strings.TrimSpace(string(text))))
	}
	known.Text = clean(known.Text)
	if len(known.IDs) > 0 {
		known.Text += ":\n  " + strings.Join(known.IDs, "\n  ")
	}
	return known
}

// get reads the JSON that is answered to a request into value.
func (c *client) get(ctx context.Context, r request, value any) error {
	answer, err := c.ask(ctx, r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(value); err != nil {
		return fmt.Errorf("read the answer to %s: %w", r.path, err)
	}
	return nil
}

// send is get with a value as the request's body.
func (c *client) send(ctx context.Context, path string, value, result any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return c.get(ctx, request{method: http.MethodPost, path: path, body: body}, result)
}

// run asks for the one run whose id begins so.
func (c *client) run(ctx context.Context, prefix string) (admin.Run, error) {
	var found admin.Run
	err := c.get(ctx, request{path: "/runs/" + url.PathEscape(prefix)}, &found)
	return found, err
}

// runs calls each for all runs that match, page by page, the newest first, until
// there are no more or it returns false.
func (c *client) runs(ctx context.Context, filter admin.Filter, pageSize int, each func(admin.Run) bool) error {
	query := filter.Values()
	query.Set("limit", fmt.Sprint(pageSize))
	for {
		var listing admin.Listing
		if err := c.get(ctx, request{path: "/runs", query: query}, &listing); err != nil {
			return err
		}
		for _, r := range listing.Runs {
			if !each(r) {
				return nil
			}
		}
		if listing.Next == "" {
			return nil
		}
		query.Set("after", listing.Next)
	}
}

// isNotFound reports whether an error says that there is no such thing.
func isNotFound(err error) bool {
	var known *admin.Error
	return errors.As(err, &known) && known.Status == http.StatusNotFound
}
