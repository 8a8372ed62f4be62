//go:build unix

package process

// Unstartable says why the file at path, which Lookup found, would not start, as
// far as a look at it tells: nil where nothing is wrong. It starts nothing.
func Unstartable(path string) *StartError {
	failed := diagnoseFile(path, nil)
	if failed.Kind == Other {
		return nil
	}
	return failed
}
