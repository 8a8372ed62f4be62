package sender

// generic is any sender that no preset is for: all of auth is the hook's to say.
func generic() *Sender {
	return &Sender{
		Name: "generic", Title: "any other sender",
		why: "say how it authenticates, in auth",
	}
}
