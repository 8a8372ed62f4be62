package database

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// migration is one step of the schema.
type migration struct {
	name, sql string
}

// readMigrations reads the steps in their order.
func readMigrations(files fs.FS) ([]migration, error) {
	if files == nil {
		return nil, nil
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("list the migrations: %w", err)
	}
	var steps []migration
	for i, name := range names { // sorted by Glob
		number, _, ok := strings.Cut(name, "_")
		n, err := strconv.Atoi(number)
		if !ok || err != nil || len(number) != 4 || n != i+1 {
			return nil, fmt.Errorf("migration %s: its name must begin with %04d_", name, i+1)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read migration %s: %w", name, err)
		}
		steps = append(steps, migration{name: name, sql: string(text)})
	}
	return steps, nil
}

// refuseNewer fails where the file has seen more migrations than there are.
func (c *Conn) refuseNewer(known int) error {
	version, _, err := c.Number("PRAGMA user_version")
	if err != nil {
		return err
	}
	if version > int64(known) {
		return fmt.Errorf("%w: it is of version %d, and this one knows versions up to %d; nothing was changed", ErrNewer, version, known)
	}
	return nil
}

// migrate carries out the steps that the file lacks.
func (c *Conn) migrate(steps []migration) error {
	version, _, err := c.Number("PRAGMA user_version")
	if err != nil {
		return err
	}
	for i := int(version); i < len(steps); i++ {
		err := c.transaction("BEGIN IMMEDIATE", "COMMIT", func(c *Conn) error {
			if err := c.script(steps[i].sql); err != nil {
				return err
			}
			return c.script(fmt.Sprintf("PRAGMA user_version = %d", i+1))
		})
		if err != nil {
			return fmt.Errorf("migration %s: %w", steps[i].name, err)
		}
	}
	// Reads the schema, so that damage to it shows now.
	_, _, err = c.Number("SELECT count(*) FROM sqlite_schema")
	return err
}

// pragmas sets what is set by PRAGMA.
func (c *Conn) pragmas(settings ...string) error {
	for _, setting := range settings {
		if err := c.script("PRAGMA " + setting); err != nil {
			return err
		}
	}
	return nil
}

// touch writes one page without changing anything.
func (c *Conn) touch() error {
	version, _, err := c.Number("PRAGMA user_version")
	if err != nil {
		return err
	}
	return c.script(fmt.Sprintf("PRAGMA user_version = %d", version))
}

// check reads the whole file and says whether it is sound.
func (c *Conn) check() error {
	rows, err := c.Query("PRAGMA quick_check(1)")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if said := rows.Text(0); said != "ok" {
			return fmt.Errorf("%w: %s", ErrDamaged, said)
		}
	}
	return rows.Err()
}
