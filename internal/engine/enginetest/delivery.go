package enginetest

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// A delivery comes back as it came, but for what lets its bearer in.
func deliveryTests() []test {
	return []test{
		{name: "comes back as it came", try: deliveryRoundTrip},
		{name: "comes back as it came after a crash", try: deliveryCrash, restarts: true},
		{name: "a large one", try: deliveryLarge},
		{name: "an empty one", try: deliveryEmpty},
		{name: "what a run was made of", try: deliveryRun},
		{name: "credentials reach the script", try: credentialsReach},
		{name: "credentials reach every attempt and run", try: credentialsEach},
		{name: "credentials outlast a restart, not the last end", try: credentialsRestart, restarts: true},
		{name: "credentials go with a cancelled run", try: credentialsCancelled},
	}
}

// sameDelivery says that a delivery is another's like, to the millisecond.
func (w *world) sameDelivery(got, want *run.Delivery) {
	w.t.Helper()
	if got == nil {
		w.t.Errorf("there is no delivery")
		return
	}
	if !bytes.Equal(got.Body, want.Body) {
		w.t.Errorf("the body has %d bytes and begins with %.100q, want %d and %.100q",
			len(got.Body), got.Body, len(want.Body), want.Body)
	}
	options := []cmp.Option{
		cmpopts.IgnoreFields(run.Delivery{}, "Body"), // it may be large
		cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(time.Millisecond),
	}
	if diff := cmp.Diff(want, got, options...); diff != "" {
		w.t.Errorf("the delivery (-want +got):\n%.2000s", diff)
	}
}

// odd is a delivery in which everything is there, and nothing is usual.
func odd() *run.Delivery {
	return &run.Delivery{
		Method: "PROPFIND", Path: "/hooks/a b/ü\xff", RawQuery: "a=%2F&b=&&c;d=1", Host: "pawl.example:9000",
		Header: http.Header{
			"Content-Type": {"application/octet-stream"},
			"X-Twice":      {"one", "two", "one", ""},
			"X-Odd":        {"\xff\x00\n, \"'"},
			"x-lower":      {"kept as it is"},
		},
		Body:       []byte("\x00\xff\xfe\r\n{\"a\":1}\x00"),
		RemoteAddr: "[2001:db8::1%eth0]:4711",
		SenderID:   "x'\";\x00é",
		Verified:   "hmac-sha256 signature",
		Origin:     run.Origin{Kind: run.Replay, Of: "018c0000-0000-7000-8000-000000000000", Edited: true},
	}
}

func (w *world) submitOf(d *run.Delivery, orders ...order) {
	w.t.Helper()
	if _, err := w.up().Submit(w.t.Context(), w.submissionOf(d, orders...)); err != nil {
		w.t.Fatalf("submit: %v", err)
	}
}

func (w *world) stored(name string) *run.Delivery {
	w.t.Helper()
	d, err := w.up().Delivery(w.t.Context(), w.deliveries[name])
	if err != nil {
		w.t.Fatalf("the delivery of %s: %v", name, err)
	}
	return d
}

// cameBack says that scripts and history see the delivery of a run as it came.
func (w *world) cameBack(name string, want *run.Delivery) {
	w.t.Helper()
	attempts := w.attemptsOf(name)
	if len(attempts) == 0 {
		w.t.Fatalf("%s did not begin", name)
	}
	w.sameDelivery(attempts[len(attempts)-1].run.Delivery, want)
	w.sameDelivery(w.stored(name), want)
	w.sameDelivery(w.record(name).Delivery, want)
}

func deliveryRoundTrip(w *world) {
	w.plain("build")
	d := odd()
	w.submitOf(d, of("build", "a"))
	w.settle()
	w.cameBack("a", d)
	if r := w.record("a"); r.Origin != d.Origin {
		w.t.Errorf("the run's origin is %+v", r.Origin)
	}
}

func deliveryCrash(w *world) {
	w.plain("build")
	w.pause("build")
	d := odd()
	w.submitOf(d, of("build", "a"))
	w.crash()
	w.resume("build")
	w.settle()
	w.cameBack("a", d)
}

func deliveryLarge(w *world) {
	w.plain("build")
	w.pause("build")
	var deliveries []*run.Delivery
	names := numbered("n", 12)
	for i, name := range names {
		d := odd()
		d.Body = slices.Repeat([]byte{0, byte(i), 0xff, 'a', 'b', '\n'}, 1<<20/6)
		if i%2 == 0 { // some do not compress
			state := uint64(i + 1)
			for j := range d.Body {
				state = state*6364136223846793005 + 1442695040888963407
				d.Body[j] = byte(state >> 56)
			}
		}
		d.Header["X-Large"] = []string{strings.Repeat("x", 10_000)}
		w.submitOf(d, of("build", name))
		deliveries = append(deliveries, d)
	}
	w.resume("build")
	w.settle()
	for i, name := range names {
		w.cameBack(name, deliveries[i])
	}
}

func deliveryEmpty(w *world) {
	w.plain("build")
	d := &run.Delivery{}
	w.submitOf(d, of("build", "a"))
	w.settle()
	w.cameBack("a", d)
}

func deliveryRun(w *world) {
	w.plain("build")
	w.pause("build")
	s := w.submission(of("build", "a").keyed("k\x00\xff\n").incomplete())
	s.Parts[0].Runs[0].Element = `{"tag":"ü\u0000"}`
	s.Parts[0].Runs[0].Depth = 3
	if _, err := w.up().Submit(w.t.Context(), s); err != nil {
		w.t.Fatalf("submit: %v", err)
	}
	w.resume("build")
	w.settle()
	want := s.Parts[0].Runs[0]
	want.Attempt = 1
	for what, got := range map[string]run.Run{"script": w.attemptsOf("a")[0].run, "history": w.record("a").Run} {
		got.Delivery = nil
		if got != want {
			w.t.Errorf("the %s sees %+v, want %+v", what, got, want)
		}
	}
}

// 9: credentials are deleted when a delivery's runs have ended.
func secret() *run.Delivery {
	return &run.Delivery{
		Method: "POST", Path: "/hooks/build/" + run.Withheld, RawQuery: "token=" + run.Withheld,
		Header: http.Header{"Authorization": {run.Withheld}},
		Credentials: &run.Credentials{
			Header:   http.Header{"Authorization": {"Bearer t0ken"}},
			RawQuery: "token=s3cret", Path: "/hooks/build/s3cret",
		},
	}
}

// credentials says whether the last attempt of a run was given its credentials,
// and whether they are kept.
func (w *world) credentials(name string, given, kept bool) {
	w.t.Helper()
	w.settle()
	attempts := w.attemptsOf(name)
	if len(attempts) > 0 {
		got := attempts[len(attempts)-1].run.Delivery.Credentials
		if want := secret().Credentials; given != cmp.Equal(got, want) {
			w.t.Errorf("%s began with the credentials %+v", name, got)
		}
	}
	if !kept && w.stored(name).Credentials != nil {
		w.t.Errorf("credentials of %s are kept", name)
	}
}

func credentialsReach(w *world) {
	w.plain("build")
	w.submitOf(secret(), of("build", "a"))
	w.credentials("a", true, true)
	w.pass(2 * time.Second)
	w.credentials("a", true, false)
	w.rerun("a")
	w.credentials("a", false, false)
}

func credentialsEach(w *world) {
	w.hook(hook.Hook{ID: "build", Queue: hook.Queue{MaxConcurrent: 1}, Retry: hook.Retry{Attempts: 2}})
	w.does("build", script{ends: exits(1, 0)})
	w.submitOf(secret(), of("build", "a", "b"))
	w.pass(time.Minute)
	w.are(run.Succeeded, "a", "b")
	for _, a := range w.seen() {
		if a.run.Delivery.Credentials == nil {
			w.t.Errorf("attempt %d of %s began without credentials", a.run.Attempt, a.name)
		}
	}
	w.credentials("a", true, false)
}

func credentialsRestart(w *world) {
	w.plain("build")
	w.pause("build")
	w.submitOf(secret(), of("build", "a"))
	w.crash()
	w.resume("build")
	w.credentials("a", true, true)
	w.pass(2 * time.Second)
	w.credentials("a", true, false)
	w.crash()
	w.credentials("a", true, false)
}

func credentialsCancelled(w *world) {
	w.plain("build")
	w.pause("build")
	w.submitOf(secret(), of("build", "a"))
	w.cancel("a")
	w.credentials("a", false, false)
}
