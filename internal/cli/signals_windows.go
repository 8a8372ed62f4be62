package cli

import "os"

// reloadSignals is empty: Windows has none to spare. -hotreload reloads there.
func reloadSignals() []os.Signal { return nil }

func ignoredSignal(os.Signal) bool { return false }

// reloadWords says how a hook file is read again, at the end of a message.
const reloadWords = "; once it is in order, a restart reads it again, and with -hotreload Pawl does by itself"
