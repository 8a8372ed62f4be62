package admin_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestShape: programs read these names; none goes, and none means anything else.
func TestShape(t *testing.T) {
	const want = `{
  "id": "0192a000-0000-7000-8000-000000000001",
  "hook": "deploy",
  "state": "failed",
  "key": "acme",
  "attempt": 2,
  "delivery_id": "0192a000-0000-7000-8000-0000000000d1",
  "accepted": "2026-01-31T12:00:00Z",
  "started": "2026-01-31T12:00:03Z",
  "ended": "2026-01-31T12:00:05Z",
  "took_seconds": 2,
  "reason": "exit status 3",
  "interruptions": 0,
  "attempts": [
    {
      "number": 1,
      "end": "signalled",
      "signal": "killed",
      "started": "2026-01-31T12:00:01Z",
      "ended": "2026-01-31T12:00:02Z",
      "took_seconds": 1,
      "output_bytes": 4,
      "omitted_bytes": 0,
      "artifact_bytes": 0
    },
    {
      "number": 2,
      "end": "exited",
      "exit_code": 3,
      "reason": "exit status 3",
      "started": "2026-01-31T12:00:03Z",
      "ended": "2026-01-31T12:00:05Z",
      "took_seconds": 2,
      "output_bytes": 7,
      "omitted_bytes": 0,
      "results": [
        {
          "name": "tag",
          "value": "v1"
        }
      ],
      "artifact_bytes": 0,
      "hook_hash": "abc"
    }
  ],
  "delivery": {
    "id": "0192a000-0000-7000-8000-0000000000d1",
    "received": "2026-01-31T12:00:00Z",
    "method": "POST",
    "path": "/hooks/deploy",
    "query": "a=b",
    "host": "example.org",
    "remote_addr": "192.0.2.1:99",
    "content_type": "application/json",
    "body_bytes": 14
  }
}
`
	var got bytes.Buffer
	if err := json.Indent(&got, ask(newAPI(t, wholeOptions(t)), "GET", "/api/v1/runs/"+firstID, "").Body.Bytes(), "", "  "); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
}
