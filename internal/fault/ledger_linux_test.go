package fault

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// worker is the script of all hooks here. It holds a lock for as long as it, or
// anything that it has started, lives: that of its key, or where it has none that
// of its run; who finds it held runs beside another. What it does is a line in
// the ledger, written at once.
const worker = `#!/bin/sh
key=$1 number=$2 work=$3
tell() { echo "$1 $PAWL_HOOK_ID $key $number $PAWL_RUN_ID $PAWL_ATTEMPT" >>@DIR@/ledger; }
exec 9>>"@DIR@/locks/${key:-$PAWL_RUN_ID}"
flock -n 9 || tell overlap
tell start
until_raised() { while [ ! -e "@DIR@/flags/$1" ]; do sleep 0.05; done; }
case $work in
	'') ;;
	0.*) sleep "$work" ;;
	wait) until_raised go ;;
	tick) while [ ! -e @DIR@/flags/go ]; do tell tick; sleep 0.05; done ;;
	tree | deaf)
		[ "$work" = tree ] || trap '' TERM
		sleep 900 &
		setsid sleep 900 &
		(setsid sh -c 'sleep 900; sleep 900' >/dev/null 2>&1 &)
		until_raised go
		kill -9 "$(cat @DIR@/pid)"
		sleep 900 ;;
	fill)
		cat /dev/zero >"$FILLER" 2>/dev/null
		tell full
		until_raised go ;;
esac
tell end
`

// entry is one line of the ledger.
type entry struct {
	what, hook, key string
	number          int
	run             string
	attempt         int
}

// ledger is what scripts wrote, in their order.
type ledger []entry

// ledger reads it.
func (p *pawl) ledger() ledger {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, "ledger"))
	if err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	var l ledger
	for line := range strings.Lines(string(text)) {
		if !strings.HasSuffix(line, "\n") {
			break // it is being written
		}
		word := strings.Split(strings.TrimSuffix(line, "\n"), " ")
		if len(word) != 6 {
			p.t.Fatalf("a line of the ledger: %q", line)
		}
		number, err := strconv.Atoi(word[3])
		if err != nil {
			p.t.Fatalf("a line of the ledger: %q", line)
		}
		attempt, err := strconv.Atoi(word[5])
		if err != nil {
			p.t.Fatalf("a line of the ledger: %q", line)
		}
		l = append(l, entry{word[0], word[1], word[2], number, word[4], attempt})
	}
	return l
}

// count counts lines of a kind, of one hook or all.
func (l ledger) count(what, hook string) (n int) {
	for _, e := range l {
		if e.what == what && (hook == "" || e.hook == hook) {
			n++
		}
	}
	return n
}

// of gives the runs that have lines of a kind, and how many.
func (l ledger) of(what string) map[string]int {
	runs := map[string]int{}
	for _, e := range l {
		if e.what == what {
			runs[e.run]++
		}
	}
	return runs
}

// complaints says what must not be, whatever broke: two at the same time, an
// attempt twice, a key out of its order.
func (l ledger) complaints() (list []string) {
	last := map[string]entry{} // by key
	attempts := map[string]int{}
	for _, e := range l {
		switch e.what {
		case "overlap":
			list = append(list, fmt.Sprintf("%+v ran beside another of its key, or beside itself", e))
		case "start":
			if e.attempt <= attempts[e.run] {
				list = append(list, fmt.Sprintf("%+v began after attempt %d", e, attempts[e.run]))
			}
			attempts[e.run] = e.attempt
			if before := last[e.key]; e.key != "" && e.number < before.number {
				list = append(list, fmt.Sprintf("%+v began after %+v", e, before))
			}
			last[e.key] = e
		}
	}
	return list
}
