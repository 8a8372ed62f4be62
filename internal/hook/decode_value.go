package hook

import (
	"net/http"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/process"
)

// status reads an HTTP status. One that net/http has no name for counts as
// unset, as in webhook, and so does an interim one (1xx), which would be
// followed by a 200 of its own.
func (r *reader) status(f field) int {
	code := r.number(f)
	if code != 0 && (code < 200 || http.StatusText(code) == "") {
		r.wrong(f.value, "%s: there is no final HTTP status %d; 200 is answered", f.name, code)
		return 0
	}
	return code
}

func (r *reader) methods(f field) []string {
	known := []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace,
	}
	var methods []string
	for _, item := range r.items(f) {
		method := strings.ToUpper(strings.TrimSpace(r.text(field{name: "a method", value: item})))
		methods = append(methods, method)
		if !isToken(method) {
			r.wrong(item, "%q is no HTTP method", method)
		} else if !slices.Contains(known, method) && nearest(method, known) != "" {
			r.note(item, Warning, "%q is no usual HTTP method%s", method, Suggestion(method, known))
		}
	}
	return methods
}

func (r *reader) headers(f field) []Header {
	var headers []Header
	for _, item := range r.items(f) {
		var header Header
		name := item
		r.each(r.object("a header", item), []key{
			{name: "name", read: func(f field) { header.Name, name = r.text(f), f.value }},
			{name: "value", read: func(f field) {
				if header.Value = r.text(f); strings.ContainsAny(header.Value, "\r\n\x00") {
					r.wrong(f.value, "a header's value is one line: line ends in it become blanks")
				}
			}},
		})
		if !isToken(header.Name) {
			r.wrong(name, "%q can name no header: it is not sent", header.Name)
		}
		headers = append(headers, header)
	}
	return headers
}

// isToken reports whether a word can be a method or the name of a header
// (RFC 9110, 5.6.2).
func isToken(word string) bool {
	for _, c := range word {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', strings.ContainsRune("!#$%&'*+-.^_`|~", c):
		default:
			return false
		}
	}
	return word != ""
}

func (r *reader) arguments(f field) []Argument {
	var arguments []Argument
	for _, item := range r.items(f) {
		arguments = append(arguments, r.argument("an item of "+f.name, item))
	}
	return arguments
}

func (r *reader) jsonParameters(f field) []delivery.Ref {
	items := r.items(f)
	list := make([]delivery.Ref, len(items))
	for i, item := range items {
		list[i] = r.argument("an item of "+f.name, item).Ref
	}
	return list
}

// places is where the parts of a value stand, and what bounds it.
type places struct {
	source, name *yaml.Node
	secret       *field // nil: there is none
	bound        bound
}

// valueKeys are the keys of a value that has no name of its own.
func (r *reader) valueKeys(a *Argument, at *places) []key {
	return append([]key{
		{name: "source", read: func(f field) { a.Source, at.source = delivery.Source(r.text(f)), f.value }},
		{name: "name", read: func(f field) { a.Name, at.name = r.text(f), f.value }},
	}, r.boundKeys(&at.bound)...)
}

// argumentKeys are the keys of a value that a command is given.
func (r *reader) argumentKeys(a *Argument, at *places) []key {
	return append(r.valueKeys(a, at),
		key{name: "envname", read: func(f field) { a.Variable = r.variable(f) }},
		key{name: "base64decode", read: func(f field) { a.Base64Decode = r.boolean(f) }},
		key{name: "secret", of: pawls, read: func(f field) { at.secret = &f; a.Secret = r.secretSet(f, ofArgument) }},
	)
}

// argument reads one value: where it comes from and what it is called.
func (r *reader) argument(what string, node *yaml.Node) Argument {
	var a Argument
	at := places{source: node, name: node}
	r.each(r.object(what, node), r.argumentKeys(&a, &at))
	r.ref(a.Ref, at.source, at.name)
	r.bounded(at.bound, a.Ref)
	if at.secret != nil {
		r.secretArgument(a, *at.secret, at.source, at.name)
	}
	return a
}

// variable reads the name of a variable that a command is given.
func (r *reader) variable(f field) string {
	name := r.text(f)
	switch {
	case name == "": // as if it were not there
	case strings.HasPrefix(name, pawlsVariables):
		r.note(f.value, Warning, "envname: variables that begin with %s are Pawl's own, and a script gets Pawl's", pawlsVariables)
	default:
		r.wrongIf(f.value, "envname", process.CheckName(name))
	}
	return name
}

// secretArgument tells of a secret that no command could be given, or that others
// would see.
func (r *reader) secretArgument(a Argument, held field, source, name *yaml.Node) {
	switch {
	case a.Source != delivery.String:
		r.wrong(source, "a secret is a value of source string: {source: string, secret: {file: PATH}, envname: TOKEN}")
	case a.Name != "":
		r.wrong(name, "the value is the secret, and name is another: leave out one of them")
	case r.key == "pass-arguments-to-command":
		r.advise(held.key, "every user of this machine can see the arguments of a command (ps): hand the secret over in pass-environment-to-command or pass-file-to-command")
	case r.key != "pass-environment-to-command" && r.key != "pass-file-to-command":
		r.wrong(held.key, "a secret here is given to nothing: it goes to pass-environment-to-command or pass-file-to-command")
	case a.Variable == "":
		r.wrong(held.key, "a secret needs envname, the name of its variable")
	}
}

// ref tells of a value that no request has.
func (r *reader) ref(ref delivery.Ref, source, name *yaml.Node) {
	names := sources()
	known, ok := delivery.ParseSource(string(ref.Source))
	switch {
	case ref.Source == "":
		r.wrong(source, "a value needs a source: one of %s", strings.Join(names, ", "))
	case !ok:
		r.wrong(source, "unknown source %q%s", ref.Source, Suggestion(string(ref.Source), names))
	case known == delivery.Element:
		r.element(source, "source element")
	case known == delivery.CEL:
		r.computation(ref, name)
	case known == delivery.Request && !strings.EqualFold(ref.Name, "method") && !strings.EqualFold(ref.Name, "remote-addr"):
		r.wrong(name, "source request has no %q, only method and remote-addr", ref.Name)
	case ref.Name == "" && (known == delivery.Payload || known == delivery.Header || known == delivery.Query):
		r.note(name, Warning, "a value of source %s needs a name", ref.Source)
	}
}

func sources() []string {
	return []string{
		string(delivery.Payload), string(delivery.Header), string(delivery.Query), string(delivery.Element), string(delivery.Request),
		string(delivery.RawRequestBody), string(delivery.EntirePayload), string(delivery.EntireHeaders),
		string(delivery.EntireQuery), string(delivery.String), string(delivery.CEL),
	}
}
