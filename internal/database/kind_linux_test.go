package database

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestKindOfFileSystem(t *testing.T) {
	none := func() string { return "fuse.other" }
	for _, c := range []struct {
		magic uint32
		fuse  string
		want  Durability
	}{
		{unix.EXT4_SUPER_MAGIC, "", Durable},
		{unix.XFS_SUPER_MAGIC, "", Durable},
		{unix.BTRFS_SUPER_MAGIC, "", Durable},
		{unix.TMPFS_MAGIC, "", Volatile},
		{unix.RAMFS_MAGIC, "", Volatile},
		{unix.OVERLAYFS_SUPER_MAGIC, "", Volatile},
		{unix.NFS_SUPER_MAGIC, "", Unsound},
		{unix.SMB2_SUPER_MAGIC, "", Unsound},
		{unix.CIFS_SUPER_MAGIC, "", Unsound},
		{unix.V9FS_MAGIC, "", Unsound},
		{unix.FUSE_SUPER_MAGIC, "fuse.sshfs", Unsound},
		{unix.FUSE_SUPER_MAGIC, "fuse.ntfs-3g", Durable},
	} {
		fuse := none
		if c.fuse != "" {
			fuse = func() string { return c.fuse }
		}
		if got, name, err := classify(c.magic, fuse); got != c.want || err != nil {
			t.Errorf("%#x (%s): %v %q %v, want %v", c.magic, c.fuse, got, name, err, c.want)
		}
	}
	dir := t.TempDir()
	mountTmpfs(t, dir)
	if got, name, err := Kind(filepath.Join(dir, "not", "there", "yet")); got != Volatile || name != "tmpfs" || err != nil {
		t.Errorf("a tmpfs is %v %q (%v)", got, name, err)
	}
}
