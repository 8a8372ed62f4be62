package embedded

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pawlhq/pawl/internal/run"
)

func mustCodec(t testing.TB) *codec {
	t.Helper()
	c, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func noise(n int) []byte {
	b := make([]byte, n)
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(b)
	return b
}

func TestADeliveryComesBackAsItWas(t *testing.T) {
	c := mustCodec(t)
	for name, d := range map[string]*run.Delivery{
		"an empty one": {},
		"all of it": {Received: time.Unix(1, 2), Method: "POST", Path: "/a\xff", RawQuery: "a=b&c", Host: "h", RemoteAddr: "@", SenderID: "é",
			Header: http.Header{"A": {"", "b"}, "C": nil}, Body: []byte{0, 255}, Origin: run.Origin{Kind: run.Replay, Of: "x", Edited: true}},
		"what verified it":                  {Method: "POST", Verified: "hmac-sha256 signature, secret 1 of 2", Body: []byte("x")},
		"what verified one that packs well": {Verified: "a bearer token", Body: bytes.Repeat([]byte("words "), 10_000)},
		"a body that packs well":            {Body: bytes.Repeat([]byte("words "), 10_000)},
		"a body that does not":              {Body: noise(100_000)},
	} {
		b := c.delivery(d)
		got, err := c.readDelivery(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(d, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%.1000s", name, diff)
		}
		if limit := len(d.Body) + 1000; len(b) > limit {
			t.Errorf("%s takes %d bytes, more than %d", name, len(b), limit)
		}
	}
	if b := c.delivery(&run.Delivery{Body: bytes.Repeat([]byte("words "), 10_000)}); len(b) > 1000 {
		t.Errorf("60,000 bytes of the same words take %d", len(b))
	}
}

// Journals from before Pawl knew what verifies a delivery are read.
func TestADeliveryOfAnOldJournal(t *testing.T) {
	old := []byte("\x01\x02\x04POST\x02/a\x00\x01h\x01@\x027a\x00\x00\x00\x01\x01A\x01\x01bbody")
	got, err := mustCodec(t).readDelivery(old)
	want := &run.Delivery{
		Received: time.Unix(0, 1), Method: "POST", Path: "/a", Host: "h", RemoteAddr: "@", SenderID: "7a",
		Header: http.Header{"A": {"b"}}, Body: []byte("body"),
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if again := mustCodec(t).delivery(want); !bytes.Equal(again, old) {
		t.Errorf("one that nothing verified is written as %q", again)
	}
}

func TestTheRestComesBackAsItWas(t *testing.T) {
	c := mustCodec(t)
	for _, output := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("line\n"), 5000), noise(5000)} {
		got, err := c.readOutput(c.output(output))
		if err != nil || !bytes.Equal(got, output) {
			t.Errorf("output of %d bytes came back as %d: %v", len(output), len(got), err)
		}
	}
	for _, want := range []*run.Credentials{nil, {RawQuery: "q", Path: "p", Header: http.Header{"Authorization": {"Basic eA=="}}}} {
		got, err := readCredentials(credentials(want))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("credentials: %v %s", err, diff)
		}
	}
	list := []run.Result{{Name: "a", Value: ""}, {Name: "b", Value: "c\nd"}}
	if diff := cmp.Diff(list, readResults(results(list))); diff != "" {
		t.Error(diff)
	}
	o := run.Origin{Kind: run.OnFailure, Of: "id"}
	if got := readOrigin(origin(o)); got != o {
		t.Errorf("origin %+v", got)
	}
}

// Whatever a damaged journal holds is an error or a delivery, quickly and in
// little memory.
func FuzzRead(f *testing.F) {
	c := mustCodec(f)
	f.Add(c.delivery(&run.Delivery{Method: "GET", Header: http.Header{"A": {"b"}}, Body: bytes.Repeat([]byte("x"), 5000)}))
	f.Add([]byte{plain, 0, 255, 255, 255, 255, 15})
	f.Add([]byte{packed})
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := c.readDelivery(b); (d == nil) == (err == nil) {
			t.Errorf("%v and %v", d, err)
		}
		_, _ = c.readOutput(b)
		_, _ = readCredentials(b)
		_ = readResults(b)
		_ = readOrigin(b)
	})
}
