package hook

import "gopkg.in/yaml.v3"

// Nodes gives the root of a hook file as YAML nodes, read as Read does, and where
// a node stands in the file; nil where the file cannot be read. It is for whoever
// tells of more than what hooks are made of. Aliases are not followed.
func Nodes(file string, text []byte, options Options) (root *yaml.Node, place func(*yaml.Node) Position) {
	r := &reader{file: file}
	if options.Template {
		expanded, problems := expand(file, decodeText(text))
		if problems.Refused() {
			return nil, nil
		}
		text = expanded
	}
	root = r.parse(text)
	return root, func(node *yaml.Node) Position { return r.position(node.Line, node.Column) }
}
