package cli

import "errors"

// DropPrivileges is an error here: Windows has no numbers for users and groups.
func DropPrivileges(_, _ int) error {
	return errors.New("-setuid and -setgid do not exist on Windows: start Pawl as the user that it is to run as")
}
