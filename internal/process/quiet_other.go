//go:build !linux

package process

// Quiet does nothing here.
func Quiet() {}
