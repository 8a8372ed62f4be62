package sender

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	// fetchTimeout bounds one fetch from the look-up of the name to the last byte.
	// A sender waits for it: Amazon gives up after 15 s.
	fetchTimeout = 10 * time.Second

	// maxFetched bounds an answer. Keys and certificates have a few KiB.
	maxFetched = 1 << 20

	maxRedirects = 3
)

// fetcher reads keys and certificates of senders, over TLS and from allowed
// URLs alone, also where an answer redirects.
type fetcher struct {
	client  *http.Client
	allowed func(*url.URL) error // asked before anything is sent
}

// newFetcher makes a fetcher that uses client's transport; nil: one that is made
// for the purpose. It keeps no connections: what it reads is kept, so the next
// fetch is hours away.
func newFetcher(client *http.Client, allowed func(*url.URL) error) *fetcher {
	own := http.Client{}
	if client != nil {
		own = *client
	}
	if own.Transport == nil {
		own.Transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: fetchTimeout,
			DisableKeepAlives:   true,
			ForceAttemptHTTP2:   true,
		}
	}
	own.Jar = nil
	own.Timeout = fetchTimeout
	own.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) >= maxRedirects {
			return errors.New("it redirects too often")
		}
		return allowed(r.URL)
	}
	return &fetcher{&own, allowed}
}

// get reads what is at a URL. The error names the URL.
func (f *fetcher) get(ctx context.Context, where string) ([]byte, error) {
	u, err := url.Parse(where)
	if err != nil {
		return nil, errors.New("the URL cannot be read")
	}
	if err := f.allowed(u); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", without(u), err)
	}
	response, err := f.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", without(u), cause(err))
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: the answer is %s", without(u), response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxFetched+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("get %s: %w", without(u), err)
	case len(body) > maxFetched:
		return nil, fmt.Errorf("get %s: the answer has more than %d bytes", without(u), maxFetched)
	}
	return body, nil
}

// without is a URL without its query, which may hold a token.
func without(u *url.URL) string { return u.Scheme + "://" + u.Host + u.Path }

// cause takes out of an error of net/http what it repeats: the URL, query and all.
func cause(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// plainHTTPS says what is odd about a URL that a delivery or a key server names.
// None that is documented has a user part, a port or a fragment.
func plainHTTPS(u *url.URL) error {
	switch {
	case u.Scheme != "https":
		return errors.New("it does not begin with https://")
	case u.User != nil:
		return errors.New("it has a user part")
	case u.Port() != "" || u.Host != u.Hostname():
		return errors.New("it has a port")
	case u.Opaque != "" || u.Fragment != "":
		return errors.New("it is no plain URL")
	}
	return nil
}
