package sender

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

const (
	// keysLifetime is how long fetched keys are used before they are fetched
	// again; Google's answer allows some five hours.
	keysLifetime = time.Hour

	// keysStale is how long they count after that where a fetch fails.
	keysStale = 24 * time.Hour

	// unknownPause is how often keys are fetched because of a key id that is not
	// among them: tokens come from outside.
	unknownPause = time.Minute
)

// oidcKeys gives the keys of that id that may have signed a token; without an
// id, all. The error is none of the token's: keys could not be had.
type oidcKeys interface {
	find(ctx context.Context, id string) ([]*rsa.PublicKey, error)
}

// jwk is a key of RSA with its id.
type jwk struct {
	id  string
	key *rsa.PublicKey
}

func choose(keys []jwk, id string) []*rsa.PublicKey {
	var chosen []*rsa.PublicKey
	for _, k := range keys {
		if id == "" || k.id == id {
			chosen = append(chosen, k.key)
		}
	}
	return chosen
}

// readKeys reads the RSA keys of a JWKS (RFC 7517) that are for signatures. Keys
// of other kinds are left out.
func readKeys(text []byte) ([]jwk, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("it is no JWKS: %w", err)
	}
	var keys []jwk
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) != nil {
			continue
		}
		public, ok := key.Key.(*rsa.PublicKey)
		if ok && key.Use != "enc" && (key.Algorithm == "" || key.Algorithm == string(jose.RS256)) && public.N.BitLen() >= 2048 {
			keys = append(keys, jwk{key.KeyID, public})
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no RSA key of 2048 bits or more for RS256 in it")
	}
	return keys, nil
}

// keyFile has the keys in a file, which is read again when it changes.
type keyFile struct {
	path string

	mu   sync.Mutex
	seen stamp
	keys []jwk
}

func newKeyFile(path string) (*keyFile, error) {
	f := &keyFile{path: path}
	_, err := f.find(context.Background(), "")
	return f, err
}

func (f *keyFile) find(_ context.Context, id string) ([]*rsa.PublicKey, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, err := stampOf(f.path)
	if err == nil && (f.keys == nil || now != f.seen) {
		var text []byte
		var keys []jwk
		if text, err = readBounded(f.path); err == nil {
			if keys, err = readKeys(text); err == nil {
				f.keys, f.seen = keys, now
			} else {
				err = fmt.Errorf("%s: %w", f.path, err)
			}
		}
	}
	if f.keys != nil {
		return choose(f.keys, id), nil // what was good last counts
	}
	return nil, err
}

// remoteKeys fetches keys from an issuer.
type remoteKeys struct {
	fetcher *fetcher
	issuer  string
	place   string // of the keys; empty: the issuer's discovery document says

	fetching sync.Mutex // held while they are fetched: who needs them waits, who has them does not

	mu      sync.Mutex
	keys    []jwk
	fetched time.Time // when keys came
	tried   time.Time // when they were last asked for
	failed  error     // what came of it
}

// newRemoteKeys makes keys that are read from place, or from where the issuer's
// discovery document says: on the issuer's own host alone.
func newRemoteKeys(client *http.Client, issuer *url.URL, place string) *remoteKeys {
	host := issuer.Host
	if place != "" {
		host = "www.googleapis.com"
	}
	allowed := func(u *url.URL) error {
		if err := plainHTTPS(u); err != nil {
			return fmt.Errorf("%s is not asked: %w", without(u), err)
		}
		if u.Host != host {
			return fmt.Errorf("%.100q is not asked: keys come from %s alone; auth.oidc.keys: {file} takes them from a file", u.Host, host)
		}
		return nil
	}
	return &remoteKeys{fetcher: newFetcher(client, allowed), issuer: issuer.String(), place: place}
}

func (r *remoteKeys) find(ctx context.Context, id string) ([]*rsa.PublicKey, error) {
	if chosen, found, err := r.known(id); found || err != nil {
		return chosen, err
	}
	r.fetching.Lock()
	defer r.fetching.Unlock()
	if chosen, found, err := r.known(id); found || err != nil {
		return chosen, err // fetched for another meanwhile
	}
	keys, err := r.fetch(context.WithoutCancel(ctx))
	r.mu.Lock()
	defer r.mu.Unlock()
	age := time.Since(r.fetched)
	r.tried, r.failed = time.Now(), err
	if err == nil {
		r.keys, r.fetched = keys, r.tried
	} else if r.keys == nil || age >= keysStale {
		r.keys = nil
		return nil, err
	}
	return choose(r.keys, id), nil
}

// known gives the keys of that id as they were fetched; found is false where they
// must be fetched now. The error is that of a fetch a moment ago.
func (r *remoteKeys) known(id string) (chosen []*rsa.PublicKey, found bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	chosen = choose(r.keys, id)
	age := time.Since(r.fetched)
	switch {
	case r.keys == nil && time.Since(r.tried) < failurePause && r.failed != nil:
		return nil, false, r.failed
	case r.keys == nil:
		return nil, false, nil
	case age < keysLifetime && (len(chosen) > 0 || time.Since(r.tried) < unknownPause):
		return chosen, true, nil
	case age >= keysLifetime && age < keysStale && time.Since(r.tried) < unknownPause:
		return chosen, true, nil
	}
	return nil, false, nil
}

func (r *remoteKeys) fetch(ctx context.Context) ([]jwk, error) {
	place := r.place
	if place == "" {
		var err error
		if place, err = r.discover(ctx); err != nil {
			return nil, err
		}
	}
	text, err := r.fetcher.get(ctx, place)
	if err != nil {
		return nil, err
	}
	keys, err := readKeys(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	return keys, nil
}

// discover asks the issuer where its keys are (OpenID Connect Discovery 1.0).
func (r *remoteKeys) discover(ctx context.Context) (string, error) {
	where := strings.TrimSuffix(r.issuer, "/") + "/.well-known/openid-configuration"
	text, err := r.fetcher.get(ctx, where)
	if err != nil {
		return "", err
	}
	var document struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return "", fmt.Errorf("%s: %w", where, err)
	}
	if document.Issuer != r.issuer {
		return "", fmt.Errorf("%s: it is of another issuer, %.100q", where, document.Issuer)
	}
	return document.Keys, nil
}
