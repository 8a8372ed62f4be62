package hook

import _ "embed"

//go:embed schema.json
var schema []byte

// Schema gives a JSON Schema (draft 2020-12) of hook files, for editors. It says
// of each key what it means and what it takes. Hooks with webhook's keys alone
// are taken as leniently as Read takes them; it cannot say all that Read tells.
func Schema() []byte { return append([]byte(nil), schema...) }
