package rule_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/run"
)

func compare(want, got []string) string {
	if diff := cmp.Diff(want, got); diff != "" {
		return "(-want +got):\n" + diff
	}
	return ""
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		ranges, caller string
		want           result
	}{
		{"192.0.2.0/24", "192.0.2.255:80", yes},
		{"192.0.2.0/24", "192.0.3.0:80", no},
		{"192.0.2.77/24", "192.0.2.1:80", yes}, // the range that it lies in
		{"192.0.2.1", "192.0.2.1:80", yes},
		{"192.0.2.1", "192.0.2.2:80", no},
		{"  192.0.2.1\t198.51.100.0/24\n 10.0.0.0/8 ", "10.9.8.7:1", yes},
		{"0.0.0.0/0", "203.0.113.9:1", yes},
		{"0.0.0.0/0", "[2001:db8::1]:1", no},
		{"::/0", "[2001:db8::1]:1", yes},
		{"::/0", "192.0.2.1:1", no},
		{"2001:db8::/32", "[2001:db8:ffff::1]:443", yes},
		{"2001:db8::/32", "[2001:db9::1]:443", no},
		{"2001:db8::1", "[2001:db8::1]:443", yes},
		{"2001:db8::1", "[2001:db8::2]:443", no}, // webhook admits its /32
		{"::1", "[::1]:80", yes},
		{"fe80::/10", "[fe80::1%eth0]:80", yes},
		{"fe80::1", "[fe80::1%eth0]:80", yes},

		// A mapped address is the IPv4 address that it means.
		{"192.0.2.0/24", "[::ffff:192.0.2.1]:80", yes},
		{"::ffff:192.0.2.1", "192.0.2.1:80", yes},
		{"::ffff:192.0.2.1", "192.0.2.2:80", no},
		{"::ffff:192.0.2.0/120", "192.0.2.9:80", yes},

		// A bad range is an error for whom none before it admits.
		{"192.0.2.0/24 x", "192.0.2.1:80", yes},
		{"x 192.0.2.0/24", "192.0.2.1:80", broken},
		{"192.0.2.0/24 x", "10.0.0.1:80", broken},
		{"fe80::1%eth0", "[fe80::1%eth0]:80", broken},

		// Callers without a port, without an address.
		{"192.0.2.1", "192.0.2.1", yes},
		{"::1", "::1", yes},
		{"0.0.0.0/0 ::/0", "@", broken},
		{"0.0.0.0/0 ::/0", "", broken},
		{"0.0.0.0/0 ::/0", "host:80", broken},
		{"", "192.0.2.1:80", no},
		{" \t", "192.0.2.1:80", no},
	} {
		t.Run(c.ranges+" "+c.caller, func(t *testing.T) {
			r := anyway(rule.Definition{Type: "ip-whitelist", IPRange: c.ranges})
			record := &run.Delivery{RemoteAddr: c.caller}
			if got := evaluate(r, &rule.Request{Delivery: delivery.New(record, delivery.Options{})}); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
