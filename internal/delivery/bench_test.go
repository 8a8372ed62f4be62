package delivery

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/tidwall/gjson"
)

// largePayload is a body of a megabyte as a forge sends it: many commits with
// texts, the wanted values before and behind them.
func largePayload() []byte {
	var b bytes.Buffer
	b.WriteString(`{"ref": "refs/heads/main", "commits": [`)
	for i := 0; b.Len() < 1<<20; i++ {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, `{"id": "%040x", "message": "Fix the \"frobnicator\"\n\nIt was broken since %d.", `+
			`"author": {"name": "Jána %d", "email": "jana@example.org"}, "added": ["a/%d.go"], "distinct": true, "size": %d.5}`,
			i, i, i, i, i)
	}
	b.WriteString(`], "repository": {"id": 7, "owner": {"name": "acme"}}}`)
	return b.Bytes()
}

// BenchmarkLargePayload finds one value in a payload of 1 MB, parsing included.
//
// Measured (Go 1.26, linux/amd64, 2 cores), as multiples of gjson.Valid on the
// same body (1.04 ms): any one value, or thirty of them, 1.0 to 1.2, with eight
// allocations; gjson.GetBytes, which checks nothing, 0.4; json.Valid 3.0; a path
// over all commits 4.7; the entire payload 9.1; json.Unmarshal into maps, before
// it renders anything, 11.3.
func BenchmarkLargePayload(b *testing.B) {
	body := largePayload()
	text := string(body)
	find := func(names ...string) func(*testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				d := jsonDelivery(body)
				for _, name := range names {
					if _, err := d.Value(Ref{Payload, name}); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
	}
	many := make([]string, 30)
	for i := range many {
		many[i] = []string{"ref", "repository.owner.name", "repository.id"}[i%3]
	}
	benchmarks := []struct {
		name string
		run  func(*testing.B)
	}{
		{"pawl/first", find("ref")},
		{"pawl/last", find("repository.owner.name")},
		{"pawl/deep", find("commits.1000.author.name")},
		{"pawl/30 values", find(many...)},
		{"pawl/path", find("commits.#.id")},
		{"pawl/entire", func(b *testing.B) {
			for b.Loop() {
				_, _ = jsonDelivery(body).Value(Ref{Source: EntirePayload})
			}
		}},
		{"gjson/Valid", func(b *testing.B) {
			for b.Loop() {
				_ = gjson.Valid(text)
			}
		}},
		{"gjson/GetBytes", func(b *testing.B) {
			for b.Loop() {
				_ = gjson.GetBytes(body, "repository.owner.name")
			}
		}},
		{"encoding-json/Valid", func(b *testing.B) {
			for b.Loop() {
				_ = json.Valid(body)
			}
		}},
		{"encoding-json/Unmarshal into maps", func(b *testing.B) {
			for b.Loop() {
				var payload map[string]any
				_ = json.Unmarshal(body, &payload)
			}
		}},
	}
	for _, benchmark := range benchmarks {
		b.Run(benchmark.name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			benchmark.run(b)
		})
	}
}

// quayPush is a notification as Quay sends it.
const quayPush = `{"name": "repository", "repository": "mynamespace/repository", "namespace": "mynamespace",
 "docker_url": "quay.io/mynamespace/repository", "homepage": "https://quay.io/repository/mynamespace/repository",
 "updated_tags": ["latest", "v1.2.3"]}`

// BenchmarkSmallPayload is the way of a delivery that is accepted: a rule asks
// for a header and a value.
func BenchmarkSmallPayload(b *testing.B) {
	body := []byte(quayPush)
	record := jsonDelivery(body).Delivery
	record.Header.Set("X-Event", "push")
	b.ReportAllocs()
	for b.Loop() {
		d := New(record, Options{})
		if err := d.Parse(); err != nil {
			b.Fatal(err)
		}
		if _, err := d.Value(Ref{Header, "X-Event"}); err != nil {
			b.Fatal(err)
		}
		if _, err := d.Value(Ref{Payload, "namespace"}); err != nil {
			b.Fatal(err)
		}
	}
}
