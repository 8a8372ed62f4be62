package database

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// writerVariable makes the test binary write numbers into the directory that it
// names, and print each one when it is committed.
const writerVariable = "PAWL_TEST_WRITE_INTO"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerVariable); dir != "" {
		os.Exit(playWriter(dir))
	}
	os.Exit(m.Run())
}

func playWriter(dir string) int {
	first, _ := strconv.Atoi(os.Args[1])
	d, err := Open(context.Background(), Options{Directory: dir, Name: "journal.db", Migrations: numbers(), Reserve: 1 << 20})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for i := first; ; i++ {
		if err := insert(d, i, i, make([]byte, i%5000)); err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println(i)
		d.Maintain(i%7 == 0)
	}
}

// TestKilledAtAnyMoment: every number that was told to be committed is there,
// and the database is sound, however often the writer is killed.
func TestKilledAtAnyMoment(t *testing.T) {
	rounds := 10
	if testing.Short() {
		rounds = 3
	}
	dir := t.TempDir()
	last := 0
	for round := range rounds {
		writer := exec.Command(os.Args[0], strconv.Itoa(last+1))
		writer.Env = append(os.Environ(), writerVariable+"="+dir)
		out, err := writer.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for told := 0; lines.Scan(); told++ {
			n, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Fatalf("the writer says %q", lines.Text())
			}
			last = n
			if told == 20+37*round {
				_ = writer.Process.Kill() // what it has printed by then is read as well
			}
		}
		_ = writer.Wait()
		d := openIn(t, dir)
		n := count(t, d)
		if n != last && n != last+1 {
			t.Fatalf("round %d: there are %d numbers, and %d were told", round, n, last)
		}
		last = n
		sound(t, d)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if last < 20*rounds {
		t.Errorf("%d numbers in %d rounds: nothing was tried", last, rounds)
	}
}

// TestInABubble: all goroutines end with the database, and its timers are of
// the bubble's time.
func TestInABubble(t *testing.T) {
	for _, memory := range []int64{0, 1 << 20} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			o := testOptions(t, dir)
			o.Memory, o.Reserve = memory, 1<<20
			d := open(t, o)
			mustInsert(t, d, 1, 100)
			mustCount(t, d, 100)
			d.Maintain(true)
			synctest.Wait()
			for d.Maintain(true) {
				synctest.Wait()
			}
			time.Sleep(2 * readerRest)
			synctest.Wait()
			if d.pool != nil && len(d.pool.idle) > 0 {
				t.Error("readers that nobody uses are kept")
			}
			mustCount(t, d, 100)
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNamesThatPragmasWouldMisread: a directory may be called anything.
func TestNamesThatPragmasWouldMisread(t *testing.T) {
	dir := t.TempDir() + "/a?b=c&vfs=none#'\"% d"
	d := openIn(t, dir)
	mustInsert(t, d, 1, 10)
	target := dir + "/copy's"
	if err := d.Backup(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(read(t, target), "SQLite format 3") {
		t.Error("the copy is none")
	}
	_ = d.Close()
	mustCount(t, openIn(t, dir), 10)
}
