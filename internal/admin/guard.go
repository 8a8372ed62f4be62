package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// guard asks who calls the TCP listener, before anything is answered.
func (a *API) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := a.admit(r); err != nil {
			a.handle(func(http.ResponseWriter, *http.Request) error { return err }).ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// admit gives the reason why a request is turned away, or nil.
func (a *API) admit(r *http.Request) error {
	probe := r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case r.URL.Path == "/healthz" && reads: // it tells nothing
		return nil
	case !a.knownHost(r):
		// The name is the browser's: a page whose name was made to mean this
		// address sends its own.
		return refuse(http.StatusMisdirectedRequest, "this listener is not called %q; -admin-host adds a name", r.Host)
	case reads && (probe || local(r)), a.hasToken(r):
		return nil
	case a.options.Token == "":
		return refuse(http.StatusForbidden, "there is no token, so this can only be done over the Unix socket in the data directory")
	}
	return refuse(http.StatusUnauthorized, "the token is missing or wrong: send the content of the file admin.token of the data directory, or of -admin-token-file, as Authorization: Bearer")
}

// hasToken compares the token in a time that tells nothing of it.
func (a *API) hasToken(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if a.options.Token == "" || !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	got, want := sha256.Sum256([]byte(strings.TrimSpace(token))), sha256.Sum256([]byte(a.options.Token))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// knownHost reports whether a request names this listener by a name that only
// its operator could have given it.
func (a *API) knownHost(r *http.Request) bool {
	host := hostname(r.Host)
	if address, err := netip.ParseAddr(host); err == nil {
		return address.Unmap().IsLoopback() || address.Unmap() == calledAddress(r)
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") ||
		slices.ContainsFunc(a.options.Hosts, func(own string) bool { return own != "" && hostname(own) == host })
}

// hostname takes the port, the brackets and the last dot off a Host header.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// calledAddress is the address of this machine that a request came in at.
func calledAddress(r *http.Request) netip.Addr {
	if at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if address, err := netip.ParseAddrPort(at.String()); err == nil {
			return address.Addr().Unmap().WithZone("")
		}
	}
	return netip.Addr{}
}

// local reports whether a request comes from this machine, and not through a
// proxy on it.
func local(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "Via"} {
		if len(r.Header.Values(name)) > 0 {
			return false
		}
	}
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && address.Addr().Unmap().IsLoopback()
}
