package delivery

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The reference does with maps what the package does without: it states
// webhook's rules for JSON payloads as plainly as they can be written.

var errReferenceMissing = errors.New("missing")

// referencePayload reads the first JSON value of body as webhook does. It is
// nil if there is no payload.
func referencePayload(body []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if strings.HasPrefix(strings.TrimLeft(string(body), " \t\r\n"), "[") {
		var list any
		if err := decoder.Decode(&list); err != nil {
			return nil, err
		}
		return map[string]any{"root": list}, nil
	}
	var object map[string]any
	err := decoder.Decode(&object)
	return object, err
}

// referenceFind resolves a literal name.
func referenceFind(name string, in any) (any, error) {
	head, rest, dotted := strings.Cut(name, ".")
	switch in := in.(type) {
	case []any:
		number, err := strconv.ParseUint(head, 10, 64)
		if err != nil || number >= uint64(len(in)) {
			return nil, errReferenceMissing
		}
		if dotted {
			return referenceFind(rest, in[number])
		}
		return in[number], nil
	case map[string]any:
		if found, ok := in[name]; ok {
			return found, nil
		}
		if found, ok := in[head]; ok && dotted {
			return referenceFind(rest, found)
		}
	}
	return nil, errReferenceMissing
}

func referenceRender(found any) string {
	switch found.(type) {
	case map[string]any, []any:
		text, err := json.Marshal(found)
		if err != nil {
			panic(err)
		}
		return string(text)
	}
	return fmt.Sprintf("%v", found)
}

// referenceDepth is how deep the first value of body is nested.
func referenceDepth(body []byte) (deepest int) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	depth := 0
	for {
		token, err := decoder.Token()
		if err != nil {
			return deepest
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			deepest = max(deepest, depth)
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return deepest
		}
	}
}
