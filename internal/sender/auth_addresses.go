package sender

import (
	"context"
	"net/netip"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
)

// addressCheck wants callers of some networks. The address is the request's
// RemoteAddr; which headers of proxies count towards it is the server's to know.
type addressCheck struct{ prefixes []netip.Prefix }

func (addressCheck) early() bool { return true }

func (c addressCheck) verify(_ context.Context, r *Request) (string, error) {
	caller, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "", refused("addresses", "the caller has no IP address (it came through a Unix socket)")
	}
	address := caller.Addr().Unmap().WithZone("")
	for _, prefix := range c.prefixes {
		if prefix.Contains(address) {
			return "address", nil
		}
	}
	return "", refused("addresses", "the caller's address "+address.String()+" is in none of the hook's networks")
}

func (addressCheck) credential(delivery.Source, string) bool { return false }

// Where a request comes from cannot be signed.
func (addressCheck) sign(*Outgoing) error { return nil }

func (c addressCheck) hints(r *Request) []string {
	if _, err := c.verify(context.Background(), r); err == nil || r.Header.Get("X-Forwarded-For") == "" {
		return nil
	}
	return []string{"there is a header X-Forwarded-For: if a proxy of yours set it, name the proxy in -trusted-proxies"}
}

func (c addressCheck) String() string {
	texts := make([]string, len(c.prefixes))
	for i, prefix := range c.prefixes {
		texts[i] = prefix.String()
	}
	return "a caller in " + strings.Join(texts, ", ")
}
