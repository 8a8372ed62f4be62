package embedded

// workers carry attempts out. A goroutine that has carried one out waits for
// the next: its stack has the size that this takes, and to let a new one grow
// as far costs as much as writing a run's end. There are as many as attempts
// ever went on at the same time, and they end with the engine.
type workers struct {
	idle chan func()
	done <-chan struct{}
}

func newWorkers(done <-chan struct{}) workers {
	return workers{idle: make(chan func()), done: done}
}

// do has a worker call f, a new one where all are busy.
func (w workers) do(f func()) {
	select {
	case w.idle <- f:
	default:
		go w.work(f)
	}
}

func (w workers) work(f func()) {
	for {
		f()
		select {
		case f = <-w.idle:
		case <-w.done:
			return
		}
	}
}
