package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestTheWholeTreeIsKilled(t *testing.T) {
	t.Parallel()
	children := []string{"the child in the group", "the child in its own session", "the orphan in its own session"}
	for name, found := range map[string]int{"with a mark": 3, "without": 2} {
		heard := listen("tree stands")
		spec := script(t, "tree")
		mark := "PAWL_RUN_ID=" + t.Name() + fmt.Sprint(os.Getpid())
		if found == len(children) {
			spec.Mark = mark
		}
		spec.Env = append(spec.Env, mark)
		spec.Output, spec.KillGrace = heard, 50*time.Millisecond
		r := start(t, spec).Wait(cancelWhen(t, heard))
		pids := left(t, r.Output)
		if len(pids) != len(children) || !r.Interrupted || r.Signal != "SIGKILL" || r.Leftover != (found < len(children)) {
			t.Fatalf("%s: result %+v with output %q, want three children and SIGKILL", name, r, r.Output)
		}
		for i, pid := range pids[:found] {
			eventually(t, name+" "+children[i]+" ends", func() bool { return ended(pid) })
		}
		for _, pid := range pids[found:] {
			if ended(pid) {
				t.Error("an orphan without a mark was found all the same: the test shows nothing")
			}
		}
	}
}

func TestStopLeftoversFindsWhatLeftTheGroup(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mark  string
		stays bool
	}{{"PAWL_RUN_ID=" + t.Name(), false}, {"", true}} {
		spec := script(t, "leave-setsid", "obey-term")
		spec.StopLeftovers, spec.Mark = true, c.mark
		spec.Env = append(spec.Env, "PAWL_RUN_ID="+t.Name())
		r := run(t, spec)
		pids := left(t, r.Output)
		if len(pids) != 1 || r.Leftover != c.stays {
			t.Fatalf("mark %q: result %+v with output %q", c.mark, r, r.Output)
		}
		if !c.stays {
			eventually(t, "the marked leftover ends", func() bool { return ended(pids[0]) })
		} else if ended(pids[0]) {
			t.Error("a leftover without a mark and a group was found all the same: the test shows nothing")
		}
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	p := start(t, script(t, "sleep"))
	own := p.Identity()
	if !own.Running() {
		t.Errorf("%+v does not run", own)
	}
	for what, change := range map[string]func(*Identity){
		"of another boot": func(i *Identity) { i.Boot = "another" },
		"started before":  func(i *Identity) { i.From, i.To = i.From-time.Minute, i.From-time.Second },
		"started later":   func(i *Identity) { i.From, i.To = i.To+time.Second, i.To+time.Minute },
		"process 1":       func(i *Identity) { i.PID, i.From, i.To = 1, 0, time.Hour*24*365*100 },
		"no process":      func(i *Identity) { i.PID = 0 },
	} {
		other := own
		change(&other)
		if other.Running() {
			t.Errorf("%s: %+v runs, it says", what, other)
		}
	}
	p.Kill()
	p.Wait(t.Context())
	if own.Running() {
		t.Error("it runs still")
	}
}

func TestLeftoversOfACrash(t *testing.T) {
	t.Parallel()
	for name, byMark := range map[string]bool{"by their mark": true, "by the first process": false} {
		mark := "PAWL_RUN_ID=" + name + fmt.Sprint(os.Getpid())
		heard, others := listen("tree stands"), listen("ready")
		spec := script(t, "tree")
		spec.Output = heard
		other := script(t, "sleep")
		other.Output, other.Env = others, append(other.Env, mark+"0")
		if byMark {
			spec.Env = append(spec.Env, mark)
		}
		p, stranger := start(t, spec), start(t, other)
		<-heard.heard
		<-others.heard
		over := make(chan Result, 1)
		go func() { over <- p.Wait(context.WithoutCancel(t.Context())) }()
		old := Leftovers{Name: "PAWL_RUN_ID", Marked: func(m string) bool { return m == mark }, Grace: 50 * time.Millisecond}
		want := 4
		if !byMark {
			want-- // the orphan in its own session
			old.First = []Identity{p.Identity(), {PID: stranger.child.pid, Boot: bootID(), To: time.Second}}
		}
		found, err := old.Stop(t.Context())
		if err != nil || found != want {
			t.Errorf("%s: found %d, want %d; %v", name, found, want, err)
		}
		r := <-over
		if r.Signal != "SIGKILL" {
			t.Errorf("%s: the first process ended as %+v", name, r)
		}
		pids := left(t, []byte(heard.String()))
		for _, pid := range pids[:want-1] {
			if !ended(pid) {
				t.Errorf("%s: process %d still runs", name, pid)
			}
		}
		if !stranger.Identity().Running() {
			t.Errorf("%s: a stranger was stopped", name)
		}
		stranger.Kill()
		stranger.Wait(t.Context())
		if found, err := old.Stop(t.Context()); found != 0 || err != nil {
			t.Errorf("%s: again: %d, %v", name, found, err)
		}
	}
}

func TestParseStat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line string
		want procEntry
		ok   bool
	}{
		{"7 (sh) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0", procEntry{}, false},
		{"7 (sh) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0", procEntry{pid: 7, parent: 1, group: 7, start: 12345}, true},
		{"7 (a) Z 9 8 () Z 1 6 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99 0 0", procEntry{pid: 7, parent: 1, group: 6, start: 99, zombie: true}, true},
		{"7 (a) b) Z 1 6 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99 0 0", procEntry{pid: 7, parent: 1, group: 6, start: 99, zombie: true}, true},
		{"", procEntry{}, false},
		{"7 (sh) S 1", procEntry{}, false},
		{"7 (sh", procEntry{}, false},
		{"7 (sh) S x 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0", procEntry{}, false},
	} {
		got, ok := parseStat(7, []byte(c.line))
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%q: %+v %v, want %+v %v", c.line, got, ok, c.want, c.ok)
		}
	}
	if self := os.Getpid(); !func() bool {
		for _, entry := range readProcesses() {
			if entry.pid == self && entry.parent == os.Getppid() && entry.group == syscall.Getpgrp() && !entry.zombie {
				return true
			}
		}
		return false
	}() {
		t.Error("this very process is not found in /proc as it is")
	}
}

func TestHoldsItem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		items, item string
		want        bool
	}{
		{"", "A=1", false}, {"A=1", "A=1", true}, {"A=1\x00", "A=1", true}, {"B=\x00A=1\x00C=", "A=1", true},
		{"A=12\x00", "A=1", false}, {"AA=1\x00", "A=1", false}, {"AA=1\x00A=1\x00", "A=1", true}, {"A=11\x00A=1", "A=1", true},
	} {
		if got := holdsItem([]byte(c.items), c.item); got != c.want {
			t.Errorf("%q in %q: %v", c.item, c.items, got)
		}
	}
}

// A file of /proc that is larger than what is read at once is read whole.
func TestALargeEnvironmentIsReadWhole(t *testing.T) {
	t.Parallel()
	const mark = "PAWL_RUN_ID=behind much"
	heard := listen("ready")
	spec := script(t, "sleep")
	for i := range 20 {
		spec.Env = append(spec.Env, fmt.Sprintf("LARGE%d=%s", i, strings.Repeat("x", 1000)))
	}
	spec.Env, spec.Output = append(spec.Env, mark), heard
	p := start(t, spec)
	<-heard.heard
	if !hasMark(p.child.pid, mark) || hasMark(p.child.pid, mark+"x") || hasMark(p.child.pid, "") {
		t.Error("the mark is not seen as it is")
	}
	p.Kill()
	p.Wait(t.Context())
	if hasMark(p.child.pid, mark) {
		t.Error("a process that is gone has a mark")
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("7 (a) b) Z 1 6 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99 0 0"))
	f.Add([]byte(")"))
	f.Fuzz(func(t *testing.T, line []byte) {
		if entry, ok := parseStat(7, line); ok && entry.pid != 7 {
			t.Errorf("%q: %+v", line, entry)
		}
	})
}

func TestInheritedDescriptorsDoNotReachScripts(t *testing.T) {
	t.Parallel()
	for way, leaks := range map[string]bool{"not": true, "at once": false, "one by one": false} {
		file, err := os.Create(filepath.Join(t.TempDir(), "inherited"))
		if err != nil {
			t.Fatal(err)
		}
		host := exec.Command(script(t, "").Path, way)
		host.Env = roleEnv("seal-host")
		host.ExtraFiles = []*os.File{file, file}
		output, err := host.CombinedOutput()
		file.Close()
		if err != nil {
			t.Fatalf("sealed %s: %v\n%s", way, err, output)
		}
		if got := strings.Contains(string(output), file.Name()); got != leaks || !strings.Contains(string(output), "0 ") {
			t.Errorf("sealed %s: descriptors of the script:\n%swant the inherited ones among them: %v", way, output, leaks)
		}
	}
}

// Not parallel: it counts the descriptors of this process.
func TestNoDescriptorIsLeftOpen(t *testing.T) {
	count := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	once := func() {
		spec := script(t, "cat")
		spec.Stdin = strings.NewReader("input")
		run(t, spec)
		spec.Path, spec.Stdin = "/no/such/program", strings.NewReader("input")
		if _, err := Start(spec); err == nil {
			t.Fatal("it started")
		}
	}
	once() // what the runtime opens for good is open now
	before := count()
	for range 10 {
		once()
	}
	eventually(t, "the readers close their pipes", func() bool { return count() <= before })
}

// playSealHost inherited descriptors, seals them, and starts a script that
// shows its own.
func playSealHost(args []string) {
	var err error
	switch args[0] {
	case "at once":
		err = SealDescriptors()
	case "one by one":
		err = sealListed("/proc/self/fd")
	}
	if err == nil {
		var p *Process
		p, err = Start(Spec{Path: os.Args[0], Env: roleEnv("descriptors"), KeepOutput: 1 << 16})
		if err == nil {
			r := p.Wait(context.Background())
			os.Stdout.Write(r.Output)
		}
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func playDescriptors([]string) {
	for fd := range 100 {
		if target, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err == nil {
			fmt.Println(fd, target)
		}
	}
}

func TestReaper(t *testing.T) {
	t.Parallel()
	host := exec.Command(script(t, "").Path)
	host.Env = roleEnv("reaper-host")
	output, err := host.CombinedOutput()
	if err != nil || string(output) != "zombies without a reaper: true\nonly our own child is left: true, its exit code: 3\nwrong exit codes: 0\nchildren left: 0\n" {
		t.Errorf("%v:\n%s", err, output)
	}
}

// playReaperHost becomes the parent of its descendants' orphans, shows that
// they stay zombies, starts the reaper, and runs a storm of scripts that end
// with a code of their own and leave orphans.
func playReaperHost([]string) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	const orphaning = "/bin/true & /bin/true & exit "
	runShell := func(code int) int {
		p, err := Start(Spec{Path: "/bin/sh", Args: []string{"sh", "-c", orphaning + fmt.Sprint(code)}})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return p.Wait(context.Background()).ExitCode
	}
	runShell(0)
	fmt.Println("zombies without a reaper:", within(20*time.Second, func() bool { return len(ownChildren(true)) == 2 }))

	own, err := Start(Spec{Path: "/bin/sh", Args: []string{"sh", "-c", "exit 3"}})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	within(20*time.Second, func() bool { return len(ownChildren(true)) == 3 })
	reapListed(children) // as when the kernel shows our own child alone
	left := ownChildren(false)
	fmt.Printf("only our own child is left: %v, its exit code: %d\n",
		len(left) == 1 && left[0] == own.child.pid, own.Wait(context.Background()).ExitCode)

	stop, err := StartReaper(context.Background(), true)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	const workers, each = 8, 50
	var wrong atomic.Int32
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			for i := range each {
				if code := (worker*each + i) % 256; runShell(code) != code {
					wrong.Add(1)
				}
			}
		})
	}
	all.Wait()
	fmt.Println("wrong exit codes:", wrong.Load())
	within(20*time.Second, func() bool { return len(ownChildren(false)) == 0 })
	fmt.Println("children left:", len(ownChildren(false)))
	stop()
	stop()
}

func within(limit time.Duration, is func() bool) bool {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if is() {
			return true
		}
	}
	return false
}

func ownChildren(zombies bool) (pids []int) {
	for _, entry := range readProcesses() {
		if entry.parent == os.Getpid() && (entry.zombie || !zombies) {
			pids = append(pids, entry.pid)
		}
	}
	return pids
}

func TestReaperIsForProcessOne(t *testing.T) {
	t.Parallel()
	stop, err := StartReaper(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	stop()
}
