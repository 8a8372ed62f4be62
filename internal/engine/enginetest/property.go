package enginetest

import "testing"

func (s Suite) property(t *testing.T, durable bool) {}
