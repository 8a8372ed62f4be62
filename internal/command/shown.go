package command

import (
	"slices"
	"strings"
)

// Hidden says what of a Command is secret: what hooks give their scripts as
// secrets, and what of a delivery lets its bearer in.
type Hidden struct {
	Args  []int    // by their places in Args
	Env   []string // by the names of the variables
	Files []int    // by their places in Files
	Stdin bool
}

// variable notes a variable that was set, perhaps again.
func (h *Hidden) variable(name string, hidden bool) {
	at := slices.Index(h.Env, name)
	switch {
	case hidden && at < 0:
		h.Env = append(h.Env, name)
	case !hidden && at >= 0:
		h.Env = slices.Delete(h.Env, at, at+1)
	}
}

// mask stands in the place of a secret, as secret.Value prints itself.
const mask = "***"

// Shown is the command for people to see: with what is Hidden masked. Nothing is
// copied where nothing is.
func (c Command) Shown() Command {
	h := c.Hidden
	if len(h.Args) > 0 {
		c.Args = slices.Clone(c.Args)
		for _, i := range h.Args {
			c.Args[i] = mask
		}
	}
	if len(h.Env) > 0 {
		c.Env = slices.Clone(c.Env)
		for i, item := range c.Env {
			if name, _, _ := strings.Cut(item, "="); slices.Contains(h.Env, name) {
				c.Env[i] = name + "=" + mask
			}
		}
	}
	if len(h.Files) > 0 {
		c.Files = slices.Clone(c.Files)
		for _, i := range h.Files {
			c.Files[i].Content = []byte(mask)
		}
	}
	if h.Stdin {
		c.Stdin = []byte(mask)
	}
	return c
}
