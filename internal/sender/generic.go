package sender

import "cmp"

// nameless is the preset's name where files are named for senders.
const nameless = "generic"

// Unnamed is the sender of a hook that says how it authenticates and names none:
// generic, without its name, for nobody knows who calls.
func Unnamed() *Sender {
	s := generic()
	s.Name = ""
	return s
}

// fileName is what a file is called that is the sender's.
func (s *Sender) fileName() string { return cmp.Or(s.Name, nameless) }

// generic is any sender that no preset is for: all of auth is the hook's to say.
func generic() *Sender {
	return &Sender{
		Name: "generic", Title: "any other sender",
		Start:     Start{Auth: "{ bearer: {} }", Field: "action"},
		anyBody:   true,
		anyHeader: true,
		About: About{
			Brief: "as auth says",
			Auth:  "Whatever auth says: a signature (hmac), a token in a header, in the query or behind the path, Basic, Bearer, a client certificate, addresses.",
			Settings: []string{
				"URL: {url}",
				"Secret or token: {secret}",
				"The hook takes Authorization: Bearer for a start. Look up in the sender's documentation where its signature or token stands, and write that in auth.",
			},
			Failure: "As the sender documents it.",
			Tries:   "as it documents",
			Remarks: []string{"event-type and delivery-id say where its event type and its own id of a delivery are."},
		},
		unwrap: unwrapJSON,
		why:    "say how it authenticates, as in auth: {hmac: {header: X-Signature}}; or auth: none",
	}
}
