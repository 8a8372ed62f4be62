package sender_test

import (
	"testing"

	"github.com/pawlhq/pawl/internal/sender"
	"github.com/pawlhq/pawl/internal/sender/sendertest"
)

// Each recorded delivery is verified, understood and answered as its file
// expects, and refused when one byte has changed.
func TestRecordedDeliveries(t *testing.T) {
	sendertest.Run(t, "testdata/samples")
}

// Every preset has recorded deliveries, those that pass and those that must not.
func TestEverySenderHasRecordedDeliveries(t *testing.T) {
	good, bad := map[string]int{}, map[string]int{}
	for _, s := range sendertest.Read(t, "testdata/samples") {
		if s.Verify {
			good[s.Sender]++
		} else {
			bad[s.Sender]++
		}
	}
	for _, s := range sender.All() {
		if good[s.Name] == 0 || bad[s.Name] == 0 {
			t.Errorf("%s has %d that pass and %d that are refused", s.Name, good[s.Name], bad[s.Name])
		}
	}
}
