package server

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are those whose X-Forwarded-For tells who called.
type Proxies struct {
	Ranges []netip.Prefix
	Unix   bool // whoever calls by a Unix socket
}

// unknownCaller is the address of a caller whom a proxy does not name in a way
// that is understood. It lies in no range.
const unknownCaller = "unknown:0"

// caller is who called: the peer, or, where that is a trusted proxy, the last
// address in X-Forwarded-For that is not one. The port is unknown then, and 0.
func (p Proxies) caller(r *http.Request) string {
	if !p.trusts(r.RemoteAddr) {
		return r.RemoteAddr
	}
	lines := r.Header.Values("X-Forwarded-For")
	if len(lines) == 0 {
		return r.RemoteAddr // the proxy itself
	}
	for _, hop := range slices.Backward(strings.Split(strings.Join(lines, ","), ",")) {
		address, ok := parseHop(strings.TrimSpace(hop))
		if !ok {
			return unknownCaller // nothing before what no proxy wrote can be believed
		}
		if !p.contains(address) {
			return net.JoinHostPort(address.String(), "0")
		}
	}
	return r.RemoteAddr
}

// parseHop reads an address as proxies write it: alone, with a port, in brackets.
func parseHop(hop string) (netip.Addr, bool) {
	if both, err := netip.ParseAddrPort(hop); err == nil {
		return both.Addr().Unmap(), true
	}
	if inner, found := strings.CutPrefix(hop, "["); found {
		hop = strings.TrimSuffix(inner, "]")
	}
	address, err := netip.ParseAddr(hop)
	return address.Unmap(), err == nil
}

func (p Proxies) trusts(peer string) bool {
	address, err := netip.ParseAddrPort(peer)
	if err != nil {
		return p.Unix // a Unix socket's peer has no address
	}
	return p.contains(address.Addr().Unmap())
}

func (p Proxies) contains(address netip.Addr) bool {
	return slices.ContainsFunc(p.Ranges, func(r netip.Prefix) bool { return r.Contains(address) })
}
