//go:build !linux && !freebsd

package database

// useDataSync does nothing: SQLite knows one way here.
func useDataSync() {}
