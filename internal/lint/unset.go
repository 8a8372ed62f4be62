package lint

// unset tells of a secret that is not set here, where the hook is loaded all the
// same because it says unset: loopback. On the machine on which hook files are
// written that is as it should be, so it is a note.
func (e *entry) unset() {
	if e.hook == nil || e.hook.Gate == nil {
		return
	}
	if text := e.hook.Gate.Unset(); text != "" {
		key, _ := e.object.get("secret")
		e.add(key.key, ruleSecretFile, Note, "set it where Pawl runs, before the sender calls",
			"%s: until it is, this machine alone may call", text)
	}
}
