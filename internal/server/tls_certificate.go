package server

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// certificateCheck is how often, at most, a handshake looks whether the
	// certificate's files have changed.
	certificateCheck = time.Second

	// certificateRest is how long a file must have been at rest before its time
	// and size are trusted to tell of each later write.
	certificateRest = 3 * time.Second
)

// keyPair is a certificate and its key, as the files last had a good pair. Its
// methods may be called from several goroutines.
type keyPair struct {
	cert, key string // paths
	log       func(string)

	good atomic.Pointer[tls.Certificate]

	mu      sync.Mutex // held while the files are looked at; guards what follows
	checked time.Time  // when that was last
	stamps  [2]fs.FileInfo
	sums    [2][sha256.Size]byte // of the content that good was made from
	settled bool                 // the files were at rest when read, and good
	failure string               // of the last reading; empty after a good one
	told    string               // the failure that the log has
}

func readKeyPair(cert, key string, log func(string)) (*keyPair, error) {
	if log == nil {
		log = func(string) {}
	}
	p := &keyPair{cert: cert, key: key, log: log, checked: time.Now()}
	if _, err := p.read(); err != nil {
		return nil, err
	}
	return p, nil
}

// current returns the pair for a handshake. Now and then it looks for a newer
// one first; meanwhile others do not wait, for a disk may be slow.
func (p *keyPair) current() *tls.Certificate {
	if p.mu.TryLock() {
		defer p.mu.Unlock()
		if now := time.Now(); now.Sub(p.checked) >= certificateCheck {
			p.checked = now
			p.refresh()
		}
	}
	return p.good.Load()
}

// refresh reads the files again if they may have changed, and tells the log.
func (p *keyPair) refresh() {
	if stamps, err := p.stat(); err == nil && p.settled && sameFiles(stamps, p.stamps) {
		return
	}
	changed, err := p.read()
	switch {
	case err != nil:
		// A pair is renewed file by file: what is wrong now may be right a
		// moment later. Only what is still wrong at the next look is told, once.
		if failure := err.Error(); failure == p.failure && failure != p.told {
			p.told = failure
			p.log(fmt.Sprintf("the TLS certificate that was read before stays in use, until %s: %s",
				p.good.Load().Leaf.NotAfter.Format(time.RFC3339), failure))
		}
		p.failure = err.Error()
		return
	case changed:
		p.log(fmt.Sprintf("TLS certificate %s was read again and is in use; it is valid until %s",
			p.cert, p.good.Load().Leaf.NotAfter.Format(time.RFC3339)))
	case p.told != "":
		p.log(fmt.Sprintf("TLS certificate %s can be read again and is the one in use", p.cert))
	}
	p.failure, p.told = "", ""
}

// read makes the pair anew from its files. It returns whether it differs from
// the one before; with an error that one stays.
func (p *keyPair) read() (changed bool, err error) {
	p.settled = false
	// The state of the files is taken before their content: a write in between
	// then shows at the next look.
	stamps, err := p.stat()
	if err != nil {
		return false, err
	}
	var content [2][]byte
	var sums [2][sha256.Size]byte
	for i, path := range [2]string{p.cert, p.key} {
		if content[i], err = os.ReadFile(path); err != nil {
			return false, p.wrap(i, err)
		}
		sums[i] = sha256.Sum256(content[i])
	}
	if p.good.Load() == nil || sums != p.sums {
		pair, err := tls.X509KeyPair(content[0], content[1])
		if err != nil {
			return false, fmt.Errorf("use the TLS certificate %s with the key %s: %w", p.cert, p.key, err)
		}
		p.good.Store(&pair)
		p.sums = sums
		changed = true
	}
	p.stamps = stamps
	p.settled = true
	for _, stamp := range stamps {
		p.settled = p.settled && stamp.ModTime().Before(time.Now().Add(-certificateRest))
	}
	return changed, nil
}

func (p *keyPair) stat() (stamps [2]fs.FileInfo, err error) {
	for i, path := range [2]string{p.cert, p.key} {
		if stamps[i], err = os.Stat(path); err != nil {
			return stamps, p.wrap(i, err)
		}
	}
	return stamps, nil
}

func (p *keyPair) wrap(i int, err error) error {
	if i == 0 {
		return fmt.Errorf("read the TLS certificate (-cert): %w", err)
	}
	return fmt.Errorf("read the TLS certificate's key (-key): %w", err)
}

// sameFiles reports whether the system tells no difference. Links are followed:
// one that points elsewhere now leads to another file.
func sameFiles(a, b [2]fs.FileInfo) bool {
	for i := range a {
		if !os.SameFile(a[i], b[i]) || a[i].Size() != b[i].Size() || !a[i].ModTime().Equal(b[i].ModTime()) {
			return false
		}
	}
	return true
}
