package hook

import (
	"crypto/sha256"
	"strconv"

	"gopkg.in/yaml.v3"
)

// digestOf writes a node so that two that mean the same are written the same
// wherever they stand, whatever their comments, and in JSON as in YAML.
//
// What has an anchor is written as its sum, where it stands as well as for its
// aliases: each node of a file is then looked at once. To follow a few lines of
// aliases to aliases would fill any memory.
func (r *reader) digestOf(node *yaml.Node) []byte { return r.appendDigest(nil, node) }

func (r *reader) appendDigest(text []byte, node *yaml.Node) []byte {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Anchor == "" {
		return r.appendContent(text, node)
	}
	sum, known := r.digests[node]
	if !known {
		sum = sha256.Sum256(r.appendContent(nil, node))
		if r.digests == nil {
			r.digests = map[*yaml.Node][sha256.Size]byte{}
		}
		r.digests[node] = sum
	}
	return append(append(text, '*'), sum[:]...)
}

func (r *reader) appendContent(text []byte, node *yaml.Node) []byte {
	if node.Kind == yaml.ScalarNode {
		// Only of a few words does the meaning depend on quotes.
		mark := byte('"')
		if _, truth := truth(node.Value); truth && plain(node) {
			mark = '.'
		}
		text = append(append(text, mark), node.ShortTag()...)
		return strconv.AppendQuote(text, node.Value)
	}
	text = append(append(text, '('), node.ShortTag()...)
	for _, child := range node.Content {
		text = r.appendDigest(text, child)
	}
	return append(text, ')')
}
