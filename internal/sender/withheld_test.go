package sender

import (
	"errors"
	"testing"

	"github.com/pawlhq/pawl/internal/delivery"
)

// A refusal says that a stored delivery lacks what was looked at just where it
// does: where a header or parameter is withheld, the path, or a certificate.
func TestWithheld(t *testing.T) {
	configs := map[string]Config{
		"path": {Auth: &Auth{Path: true}}, "basic": {Auth: &Auth{Basic: &Basic{"u"}}}, "bearer": {Auth: &Auth{Bearer: true}},
		"header": {Auth: &Auth{Header: &Parameter{"X-T"}}}, "query": {Auth: &Auth{Query: &Parameter{"t"}}},
		"hmac":    {Auth: &Auth{HMAC: &HMAC{Header: "X-S"}}},
		"ed25519": {Auth: &Auth{Ed25519: &Ed25519{[]string{"whpk_fNMIemF0PvcxgJjGpBnYMFgky8hKWh6Gxzg695AZG3o="}}, Bearer: true}},
	}
	for _, s := range All() {
		if s.TakesSecret() {
			configs[s.Name] = Config{Sender: s}
		}
	}
	withheld := 0
	for name, c := range configs {
		c.Secret = secrets("whsec_c2VjcmV0LWtleS1vZi0yNC1ieXRlcyE=")
		g := mustGate(t, c)
		for _, p := range g.parts {
			_, err := p.verify(t.Context(), request("Authorization: x", "X-S: 0", "X-T: 0"))
			var refused *RefusedError
			if !errors.As(err, &refused) {
				t.Fatalf("%s: %v", name, err)
			}
			want := refused.Path
			for _, header := range []string{authorization, "X-T", "Token", gitlabToken} {
				want = want || p.credential(delivery.Header, header)
			}
			want = want || p.credential(delivery.Query, "t") || p.credential(delivery.Query, "token")
			if signing := name == "gitlab" && refused.Check == "hmac"; refused.Withheld != want && !signing {
				t.Errorf("%s: %s: withheld %v, but it is a credential: %v", name, refused.Check, refused.Withheld, want)
			}
			if want {
				withheld++
			}
		}
	}
	if withheld < 5 {
		t.Errorf("only %d of the checks look at a credential", withheld)
	}
}
