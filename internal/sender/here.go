package sender

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// fromHere reports whether a request was made by a program on this machine: not
// through a proxy that runs on it, and not by a browser, which makes requests for
// whatever page it shows (such a page can post to this machine without asking, and
// with a name that it makes to mean this machine read the answer too). Where it
// was not, why says by what that shows. A Unix socket does not count: what stands
// behind one is a proxy as a rule, whether or not it says so.
func fromHere(r *Request) (here bool, why string) {
	caller, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !caller.Addr().Unmap().IsLoopback() {
		return false, "this came from elsewhere"
	}
	if r.Proxied {
		return false, "this came through a trusted proxy, which did not say from whom"
	}
	var telling []string
	for name := range r.Header {
		if isOfProxies(name) || isOfBrowsers(name) {
			telling = append(telling, name)
		}
	}
	if len(telling) > 0 {
		what := "a proxy"
		first := slices.Min(telling)
		if isOfBrowsers(first) {
			what = "a browser"
		}
		return false, "header " + first + " shows that this came through " + what
	}
	if isOfDNS(r.Host) {
		return false, "its header Host has a name that may be another's, not localhost or an address"
	}
	return true, ""
}

// isOfProxies reports whether a header is one that proxies, content networks and
// side-cars add: Forwarded is RFC 7239, Via RFC 9110, the others are their own.
func isOfProxies(name string) bool {
	for _, prefix := range [...]string{"X-Forwarded-", "X-Envoy-", "X-Original-", "Cf-", "Cdn-", "Fastly-", "X-Amz-Cf-", "X-Azure-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	switch name {
	case "Forwarded", "Via", "X-Forwarded", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Client-Ip", "Forwarded-For":
		return true
	}
	return false
}

// isOfBrowsers reports whether a header is one that browsers add to what pages
// make them send (Fetch: Origin to every POST, Sec-Fetch-* to localhost), and
// programs do not.
func isOfBrowsers(name string) bool {
	return name == "Origin" || name == "Referer" || strings.HasPrefix(name, http.CanonicalHeaderKey("sec-fetch-"))
}

// isOfDNS reports whether a Host is a name that anybody could have made to mean
// this machine: one with a dot in it that is no address and does not end in
// localhost.
func isOfDNS(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	_, err := netip.ParseAddr(host)
	return err != nil && strings.Contains(host, ".") && !strings.HasSuffix(host, ".localhost")
}
