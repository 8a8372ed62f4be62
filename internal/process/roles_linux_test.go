package process

// systemRoles are the roles that only this system's tests need.
func systemRoles() map[string]func([]string) {
	return map[string]func([]string){
		"descriptors":  playDescriptors,
		"seal-host":    playSealHost,
		"reaper-host":  playReaperHost,
		"noexec-mount": playNoExecMount,
	}
}
