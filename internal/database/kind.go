package database

// Durability says what a file system is worth to a database.
type Durability int

// The kinds of file systems.
const (
	Durable  Durability = iota // what is synced stays
	Volatile                   // it ends with the machine or the container: tmpfs, overlay
	Unsound                    // of another machine: locks and syncs are not to be trusted
)

// Kind says of the file system that holds path, or the nearest directory above
// it that there is, what it is worth and what it is called. Where the system
// does not tell, it is taken for durable, and the name is empty.
func Kind(path string) (d Durability, name string, err error) { return kindOfPath(path) }
