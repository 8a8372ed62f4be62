package sender

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/pawlhq/pawl/internal/secret"
)

// newest is the secret that a request is signed with: the first that is set.
func newest(s *secret.Set) (string, error) {
	if values := s.Values(); len(values) > 0 {
		return values[0].Reveal(), nil
	}
	return "", errors.New("the secret is not set: there is nothing to sign with")
}

// nearly says what is odd about a text that is almost one of the secrets; ""
// where it is not.
func nearly(given string, secrets []secret.Value, what string) string {
	for _, s := range secrets {
		want := s.Reveal()
		switch unescaped, err := url.PathUnescape(given); {
		case given == "" || given == want:
		case strings.TrimSpace(given) == strings.TrimSpace(want) && strings.TrimSpace(want) != want:
			return what + " is the secret without the white space around it: the secret that is set begins or ends with white space"
		case strings.TrimSpace(given) == want:
			return what + " is the secret with white space around it"
		case strings.EqualFold(given, want):
			return what + " is the secret in other letters' case"
		case err == nil && unescaped == want:
			return what + " is the secret, percent-encoded once more"
		case strings.TrimRight(given, "/") == want:
			return what + " is the secret with a slash after it"
		}
	}
	return ""
}

// elsewhere names the places of a request, other than the one where it is
// wanted, that hold the secret: the sender has it, but sends it in another way.
func elsewhere(r *Request, secrets []secret.Value, wanted string) []string {
	var places []string
	note := func(text, place string) {
		if text != "" && which(text, secrets) > 0 {
			places = append(places, place)
		}
	}
	note(r.Rest, "behind the hook's path")
	for name, values := range r.Header {
		for _, value := range values {
			note(value, "as the whole value of header "+name)
			if name != authorization {
				continue
			}
			if token, ok := scheme(value, "Bearer"); ok {
				note(token, "as Authorization: Bearer")
			}
			if encoded, ok := scheme(value, "Basic"); ok {
				_, password, _ := userAndPassword(encoded)
				note(password, "as the password of Basic authentication")
			}
		}
	}
	query, _ := url.ParseQuery(r.RawQuery)
	for name, values := range query {
		for _, value := range values {
			note(value, "in the URL's parameter "+name)
		}
	}
	slices.Sort(places)
	hints := make([]string, 0, len(places))
	for _, place := range slices.Compact(places) {
		if place != wanted {
			hints = append(hints, "the secret is there, but "+place+"; it is wanted "+wanted)
		}
	}
	return hints
}
