//go:build race

package sender

// raced says that the race detector watches: then all takes ten times as long,
// and what is allocated is not what is allocated without it.
const raced = true
