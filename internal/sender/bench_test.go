package sender

import (
	"bytes"
	"context"
	"fmt"
	"testing"
)

// BenchmarkGate measures what a Gate costs each delivery.
func BenchmarkGate(b *testing.B) {
	for name, c := range benchGates() {
		for _, size := range []int{300, 20_000} {
			content := bytes.Repeat([]byte("x"), size)
			r := request("Authorization: Basic cXVheTpzM2NyZXQ=", "X-Hub-Signature-256: sha256="+hexOf("sha256", "s3cret", string(content)))
			r.Rest, r.Body = "s3cret", content
			g := mustGate(b, c)
			b.Run(fmt.Sprintf("early/%s/%d", name, size), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := g.Early(r); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("verify/%s/%d", name, size), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := g.Verify(context.Background(), r); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func benchGates() map[string]Config {
	return map[string]Config{
		"path":  {Auth: &Auth{Path: true}, Secret: secrets("s3cret")},
		"basic": {Auth: &Auth{Basic: &Basic{"quay"}}, Secret: secrets("s3cret")},
		"hmac":  {Sender: github(), Secret: secrets("s3cret")},
	}
}

// A delivery that passes costs few allocations: Basic's are the decoded text's.
func TestVerifyAllocatesLittle(t *testing.T) {
	r := request("Authorization: Basic cXVheTpzM2NyZXQ=", "X-Hub-Signature-256: sha256="+hexOf("sha256", "s3cret", ""))
	r.Rest = "s3cret"
	for name, c := range benchGates() {
		g := mustGate(t, c)
		n := testing.AllocsPerRun(200, func() {
			if err := g.Early(r); err != nil {
				t.Fatal(err)
			}
			if _, err := g.Verify(context.Background(), r); err != nil {
				t.Fatal(err)
			}
		})
		if n > 4 && !raced {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
