package database

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

func kindOfPath(path string) (Durability, string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Durable, "", err
	}
	var s unix.Statfs_t
	for {
		err := unix.Statfs(path, &s)
		if err == nil {
			break
		}
		parent := filepath.Dir(path)
		if !errors.Is(err, unix.ENOENT) || parent == path {
			return Durable, "", fmt.Errorf("file system of %s: %w", path, err)
		}
		path = parent
	}
	return classify(uint32(s.Type), func() string { return fuseType(path) })
}

// classify tells file systems by their magic numbers. fuse gives the type of
// one that a program serves, which all have the same number.
func classify(magic uint32, fuse func() string) (Durability, string, error) {
	switch magic {
	case unix.TMPFS_MAGIC:
		return Volatile, "tmpfs", nil
	case unix.RAMFS_MAGIC:
		return Volatile, "ramfs", nil
	case unix.OVERLAYFS_SUPER_MAGIC:
		return Volatile, "overlay", nil
	case unix.NFS_SUPER_MAGIC:
		return Unsound, "NFS", nil
	case unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC:
		return Unsound, "SMB", nil
	case unix.V9FS_MAGIC:
		return Unsound, "9p", nil
	case unix.FUSE_SUPER_MAGIC:
		if name := fuse(); name == "fuse.sshfs" || strings.HasPrefix(name, "fuse.rclone") {
			return Unsound, name, nil
		}
		return Durable, "fuse", nil
	}
	return Durable, "", nil
}

// fuseType is the type of the mount that holds a path, as /proc tells it: the
// longest mount point that is above it.
func fuseType(path string) string {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	name, longest := "", -1
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		point := strings.TrimSuffix(unescape.Replace(fields[1]), "/")
		if (path == point || strings.HasPrefix(path, point+"/")) && len(point) >= longest {
			name, longest = fields[2], len(point)
		}
	}
	return name
}
