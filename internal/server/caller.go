package server

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// callerAddress is who called: the peer, or, where that is a trusted proxy, the
// last address in X-Forwarded-For that is not one. The port is unknown then,
// and is 0.
func callerAddress(r *http.Request, trusted []netip.Prefix) string {
	if len(trusted) == 0 || !contains(trusted, r.RemoteAddr) {
		return r.RemoteAddr
	}
	chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(chain) {
		hop = strings.TrimSpace(hop)
		address, err := netip.ParseAddr(hop)
		if err != nil {
			break // nothing before what no proxy wrote can be believed
		}
		if !contains(trusted, net.JoinHostPort(hop, "0")) {
			return net.JoinHostPort(address.Unmap().String(), "0")
		}
	}
	return r.RemoteAddr
}

func contains(ranges []netip.Prefix, hostport string) bool {
	address, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(address.Addr().Unmap()) })
}
