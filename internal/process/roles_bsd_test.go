//go:build unix && !linux

package process

// systemRoles are the roles that only this system's tests need.
func systemRoles() map[string]func([]string) { return nil }
