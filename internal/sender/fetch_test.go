package sender

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// internet is a TLS server that stands for all hosts: its client resolves every
// name to it, and trusts its certificate for the names that it has.
type internet struct {
	*httptest.Server
	client *http.Client
	asked  atomic.Int32
}

func newInternet(t *testing.T, answer http.HandlerFunc) *internet {
	t.Helper()
	i := &internet{}
	i.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.asked.Add(1)
		answer(w, r)
	}))
	t.Cleanup(i.Close)
	pool := x509.NewCertPool()
	pool.AddCert(i.Certificate())
	i.client = &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		// The test server's certificate is for example.com; which host is asked is
		// the fetcher's to check, before it connects.
		TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "example.com", MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, i.Listener.Addr().String())
		},
	}}
	return i
}

func onlyHost(host string) func(*url.URL) error {
	return func(u *url.URL) error {
		if u.Host != host {
			return errors.New("another host")
		}
		return plainHTTPS(u)
	}
}

func TestFetch(t *testing.T) {
	const host = "keys.example.com"
	answers := map[string]http.HandlerFunc{
		"/good":    func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "keys") },
		"/whole":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, maxFetched)) },
		"/huge":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, maxFetched+1)) },
		"/gone":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) },
		"/partial": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPartialContent) },
		"/here":    func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/good", http.StatusFound) },
		"/there": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/good", http.StatusFound)
		},
		"/plain": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+host+"/good", http.StatusFound)
		},
		"/port": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://"+host+":8443/good", http.StatusFound)
		},
		"/for-ever": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/for-ever", http.StatusFound) },
	}
	server := newInternet(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Host != host {
			t.Errorf("host %q was asked", r.Host)
		}
		answers[r.URL.Path](w, r)
	})
	for _, test := range []struct {
		url   string
		size  int // of the answer
		err   string
		asked int32
	}{
		{url: "https://keys.example.com/good", size: 4, asked: 1},
		{url: "https://keys.example.com/whole", size: maxFetched, asked: 1},
		{url: "https://keys.example.com/here", size: 4, asked: 2},
		{url: "https://keys.example.com/huge", err: "more than 1048576 bytes", asked: 1},
		{url: "https://keys.example.com/gone", err: "410 Gone", asked: 1},
		{url: "https://keys.example.com/partial", err: "206 Partial Content", asked: 1},
		{url: "https://keys.example.com/there", err: "another host", asked: 1},
		{url: "https://keys.example.com/plain", err: "does not begin with https://", asked: 1},
		{url: "https://keys.example.com/port", err: "another host", asked: 1},
		{url: "https://keys.example.com/for-ever", err: "redirects too often", asked: 3},
		{url: "https://evil.example/good", err: "another host"},
		{url: "https://user@keys.example.com/good", err: "user part"},
		{url: "http://keys.example.com/good", err: "does not begin with https://"},
		{url: "file:///etc/passwd", err: "another host"},
		{url: "https://keys.example.com/%zz", err: "cannot be read"},
	} {
		t.Run(test.url, func(t *testing.T) {
			server.asked.Store(0)
			got, err := newFetcher(server.client, onlyHost(host)).get(t.Context(), test.url)
			if len(got) != test.size || !says(err, test.err) || server.asked.Load() != test.asked {
				t.Errorf("%d bytes, asked %d times, error %v", len(got), server.asked.Load(), err)
			}
		})
	}
}

// says reports whether an error says text; "" wants none.
func says(err error, text string) bool {
	if text == "" {
		return err == nil
	}
	return err != nil && strings.Contains(err.Error(), text)
}

// A query may hold a token, which does not belong into a log.
func TestFetchErrorsHideQueries(t *testing.T) {
	server := newInternet(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	f := newFetcher(server.client, onlyHost("keys.example.com"))
	_, err := f.get(t.Context(), "https://keys.example.com/?Token=hidden")
	server.Close()
	_, closed := f.get(t.Context(), "https://keys.example.com/?Token=hidden")
	for _, err := range []error{err, closed} {
		if err == nil || strings.Contains(err.Error(), "hidden") || !strings.Contains(err.Error(), "https://keys.example.com/") {
			t.Errorf("%v", err)
		}
	}
}

// roundTrip is a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// slowBody gives a byte a second, for ever.
type slowBody struct{ ctx context.Context }

func (b slowBody) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		p[0] = 'x'
		return 1, nil
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	}
}

func (slowBody) Close() error { return nil }

// A server that does not answer, or answers slowly, holds a fetch no longer than
// its time-out.
func TestFetchTimeout(t *testing.T) {
	for name, transport := range map[string]roundTrip{
		"silent": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"slow": func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Status: "200 OK", Body: slowBody{r.Context()}, Request: r}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, err := newFetcher(&http.Client{Transport: transport}, onlyHost("h")).get(t.Context(), "https://h/")
				if took := time.Since(start); err == nil || took != fetchTimeout {
					t.Errorf("after %v: %v", took, err)
				}
			})
		})
	}
}

// What is fetched is kept; who asks while it is fetched waits for the same
// fetch; a failure is not tried again for some seconds.
func TestFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		f := newFetched(time.Hour, func(_ context.Context, url string) (string, error) {
			n := asked.Add(1)
			time.Sleep(time.Second)
			if strings.HasPrefix(url, "bad") {
				return "", fmt.Errorf("failure %d", n)
			}
			return fmt.Sprint(url, n), nil
		})
		results := make(chan string, 10)
		for range 10 {
			go func() {
				value, _ := f.get(t.Context(), "a")
				results <- value
			}()
		}
		for range 10 {
			if got := <-results; got != "a1" {
				t.Errorf("one of ten got %q", got)
			}
		}
		want := func(url, value, err string) {
			t.Helper()
			if got, gotErr := f.get(t.Context(), url); got != value || !says(gotErr, err) {
				t.Errorf("%s: %q, %v; want %q, %q", url, got, gotErr, value, err)
			}
		}
		want("a", "a1", "")
		want("bad", "", "failure 2")
		time.Sleep(failurePause - time.Millisecond)
		want("bad", "", "failure 2")
		time.Sleep(time.Millisecond)
		want("bad", "", "failure 3")
		time.Sleep(time.Hour)
		want("a", "a4", "")
	})
}

// Made-up URLs neither push out what is good nor fetch without bound.
func TestFetchedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f := newFetched(time.Hour, func(_ context.Context, url string) (string, error) {
			if strings.HasPrefix(url, "slow") {
				<-release
			}
			if strings.HasPrefix(url, "bad") {
				return "", errors.New("none")
			}
			return url, nil
		})
		if _, err := f.get(t.Context(), "good"); err != nil {
			t.Fatal(err)
		}
		for n := range 10 * maxFailed {
			if _, err := f.get(t.Context(), fmt.Sprint("bad", n)); err == nil {
				t.Fatal("a bad one is good")
			}
		}
		if len(f.entries) > maxFailed+1 || f.entries["good"] == nil {
			t.Errorf("%d entries are kept, the good one: %v", len(f.entries), f.entries["good"])
		}
		for n := range maxFetches {
			go func() { _, _ = f.get(t.Context(), fmt.Sprint("slow", n)) }()
		}
		synctest.Wait()
		if _, err := f.get(t.Context(), "another"); !errors.Is(err, errBusy) {
			t.Errorf("one more than %d fetches: %v", maxFetches, err)
		}
		if value, err := f.get(t.Context(), "good"); value != "good" || err != nil {
			t.Errorf("what is kept: %q, %v", value, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := f.get(ctx, "slow0"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who waits for another's fetch, and hangs up: %v", err)
		}
		close(release)
		synctest.Wait()
		if _, err := f.get(t.Context(), "another"); err != nil {
			t.Errorf("after the others: %v", err)
		}
	})
}
