package rule_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"hash"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/secret"
)

var hashes = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}

func mac(algorithm, key, text string) string {
	h := hmac.New(hashes[algorithm], []byte(key))
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// RFC 2202 and RFC 4231, test case 2: what the other tests compute is right.
func TestSignatureKnownAnswers(t *testing.T) {
	for algorithm, want := range map[string]string{
		"sha1":   "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
		"sha256": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"sha512": "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
	} {
		r := match(t, rule.Definition{Type: "payload-hmac-" + algorithm, Secret: secret.New("Jefe"), Parameter: header("X-Sig")})
		if got := evaluate(r, request("what do ya want for nothing?", "X-Sig", want)); got != yes {
			t.Errorf("%s: %s", algorithm, got)
		}
	}
}

func TestSignature(t *testing.T) {
	const body = `{"ref":"main"}`
	for algorithm := range hashes {
		right, other := mac(algorithm, "key", body), mac(algorithm, "other", body)
		for _, c := range []struct {
			name, sent string
			want       result
		}{
			{"bare", right, yes},
			{"with its prefix", algorithm + "=" + right, yes},
			{"of another key", other, wrong},
			{"with another prefix", "md5=" + right, wrong},
			{"in capitals", strings.ToUpper(right), wrong},
			{"cut short", right[:len(right)-1], wrong},
			{"too long", right + "0", wrong},
			{"empty", "", wrong},
			{"the prefix alone", algorithm + "=", wrong},
			{"the prefix twice", algorithm + "=" + algorithm + "=" + right, wrong},
			{"several, one right", "v0=x, " + algorithm + "=" + other + ", " + algorithm + "=" + right, yes},
			{"several, the right one without a prefix", right + "," + other, wrong},
			{"several, all wrong", algorithm + "=" + other + "," + algorithm + "=00", wrong},
			{"commas alone", ",,", wrong},
		} {
			t.Run(algorithm+" "+c.name, func(t *testing.T) {
				for _, prefix := range []string{"payload-hmac-", "payload-hash-"} {
					r := match(t, rule.Definition{Type: prefix + algorithm, Secret: secret.New("key"), Parameter: header("X-Sig")})
					if got := evaluate(r, request(body, "X-Sig", c.sent)); got != c.want {
						t.Errorf("%s%s: %s, want %s", prefix, algorithm, got, c.want)
					}
				}
			})
		}
	}
}

func TestSignatureOfWhat(t *testing.T) {
	r := match(t, rule.Definition{Type: "payload-hmac-sha256", Secret: secret.New("key"), Parameter: header("X-Sig")})
	if got := evaluate(r, request("{}")); got != missing {
		t.Errorf("no header: %s", got)
	}
	if got := evaluate(r, request("", "X-Sig", mac("sha256", "key", ""))); got != yes {
		t.Errorf("an empty body: %s", got)
	}

	// webhook computes the signature of a multipart form over nothing.
	form := "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\n"
	multipart := func(sum string) *rule.Request {
		return request(form, "Content-Type", "multipart/form-data; boundary=b", "X-Sig", sum)
	}
	if got := evaluate(r, multipart(mac("sha256", "key", ""))); got != wrong {
		t.Errorf("a form with the signature of nothing: %s", got)
	}
	if got := evaluate(r, multipart(mac("sha256", "key", form))); got != yes {
		t.Errorf("a form with its signature: %s", got)
	}
}

// An error names where the signature stood and holds neither the secret nor the
// signature that would have been right.
func TestSignatureErrorTellsNothing(t *testing.T) {
	r := match(t, rule.Definition{Type: "payload-hmac-sha256", Secret: secret.New("key"), Parameter: header("X-Sig")})
	_, err := r.Evaluate(request("", "X-Sig", "00"))
	if want := `the sha256 signature in header "X-Sig" is not the body's (the body is empty)`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if text := fmt.Sprintf("%v %+v %#v", r, r, r); strings.Contains(text, "key\"") || strings.Contains(text, "{key}") {
		t.Errorf("the rule prints its secret: %s", text)
	}
}

func TestScalr(t *testing.T) {
	const form = "Mon 02 Jan 2006 15:04:05 MST"
	received := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(distance time.Duration) string { return received.Add(distance).Format(form) }
	sign := func(body, date string) string { return mac("sha1", "key", body+date) }
	r := match(t, rule.Definition{Type: "scalr-signature", Secret: secret.New("key")})
	for _, c := range []struct {
		name, sum, date string
		want            result
	}{
		{"now", sign("{}", at(0)), at(0), yes},
		{"five minutes ago", sign("{}", at(-5*time.Minute)), at(-5 * time.Minute), yes},
		{"longer ago", sign("{}", at(-5*time.Minute-time.Second)), at(-5*time.Minute - time.Second), wrong},
		{"in five minutes", sign("{}", at(5*time.Minute)), at(5 * time.Minute), yes},
		{"later", sign("{}", at(5*time.Minute+time.Second)), at(5*time.Minute + time.Second), wrong},
		{"of another date", sign("{}", at(0)), at(time.Second), wrong},
		{"of another body", sign("{ }", at(0)), at(0), wrong},
		{"not signed", "-", at(0), no},
		{"not dated", sign("{}", ""), "-", no},
		{"a date in another form", sign("{}", received.Format(time.RFC1123)), received.Format(time.RFC1123), broken},
		{"a wrong signature of a date in another form", "00", "yesterday", wrong},
	} {
		t.Run(c.name, func(t *testing.T) {
			headers := http.Header{}
			if c.sum != "-" {
				headers.Set("X-Signature", c.sum)
			}
			if c.date != "-" {
				headers.Set("Date", c.date)
			}
			record := &run.Delivery{Header: headers, Body: []byte("{}"), Received: received}
			if got := evaluate(r, &rule.Request{Delivery: delivery.New(record, delivery.Options{})}); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	unset := anyway(rule.Definition{Type: "scalr-signature"})
	record := &run.Delivery{Header: http.Header{"X-Signature": {mac("sha1", "", "{}"+at(0))}, "Date": {at(0)}}, Body: []byte("{}"), Received: received}
	if got := evaluate(unset, &rule.Request{Delivery: delivery.New(record, delivery.Options{})}); got != broken {
		t.Errorf("an empty secret: %s", got)
	}
}

// Whatever a caller sends is compared in constant time: no == or != stands
// between two texts that are not constants, and values, signatures and Scalr's
// signatures all go through equal.
func TestComparesInConstantTime(t *testing.T) {
	uses := 0
	for _, file := range []string{"match.go", "signature.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.CallExpr:
				if name, ok := node.Fun.(*ast.Ident); ok && name.Name == "equal" {
					uses++
				}
			case *ast.BinaryExpr:
				if name, ok := node.X.(*ast.Ident); ok && (node.Op == token.EQL || node.Op == token.NEQ) && (name.Name == "got" || name.Name == "want" || name.Name == "sum") {
					t.Errorf("%s compares %s with %s", file, name.Name, node.Op)
				}
			}
			return true
		})
	}
	if uses < 4 {
		t.Errorf("equal is used %d times", uses)
	}
}
