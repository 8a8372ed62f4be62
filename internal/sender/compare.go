package sender

import (
	"crypto/sha256"
	"crypto/subtle"
	"strconv"

	"github.com/pawlhq/pawl/internal/secret"
)

// same compares a text with a secret. It takes the same time wherever they
// differ, and whether or not they are of one length: the sums of both are
// compared. An empty secret is like nothing.
func same(given, want string) bool {
	a, b := sum(given), sum(want)
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && want != ""
}

// sum hashes a text. Texts of a usual length are copied to the stack.
func sum(text string) [sha256.Size]byte {
	var local [256]byte
	return sha256.Sum256(append(local[:0], text...))
}

// which compares a text with all secrets and tells the number of the first that
// it is, from 1; 0 for none. It compares it with each of them, whichever passes.
func which(given string, secrets []secret.Value) int {
	found := 0
	for i, s := range secrets {
		if same(given, s.Reveal()) && found == 0 {
			found = i + 1
		}
	}
	return found
}

// passed says what passed, and by which of several secrets.
func passed(what string, number, of int) string {
	if of <= 1 {
		return what
	}
	return what + ", secret " + strconv.Itoa(number) + " of " + strconv.Itoa(of)
}

// withheld makes the error of a check that does not pass, of something that lets
// its bearer in.
func withheld(check, reason string) error {
	return &RefusedError{Check: check, Reason: reason, Withheld: true}
}

// refused makes the error of a check that does not pass, of something that may be
// kept.
func refused(check, reason string) error {
	return &RefusedError{Check: check, Reason: reason}
}
