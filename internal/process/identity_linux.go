package process

import (
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// bootID tells one boot of this machine from another (random(4)).
var bootID = sync.OnceValue(func() string {
	text, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text))
})

// sinceBoot is the clock by which the kernel remembers when processes started.
func sinceBoot() time.Duration {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) != nil {
		return 0
	}
	return time.Duration(now.Nano())
}

// tick is the unit of that clock in /proc (USER_HZ, the same everywhere).
const tick = 10 * time.Millisecond

// Running reports whether that very process still runs. Zombies do not.
func (i Identity) Running() bool {
	if i.PID <= 1 || i.Boot == "" || i.Boot != bootID() {
		return false
	}
	entry, ok := readProcess(i.PID)
	started := time.Duration(entry.start) * tick // cut to the tick
	return ok && !entry.zombie && started >= i.From-tick && started <= i.To
}
