package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Reloader serves the newest good state of its files. It is safe for concurrent use.
type Reloader struct {
	files   Files
	log     *slog.Logger
	now     func() time.Time
	current atomic.Pointer[snapshot]
	reload  sync.Mutex
}

// New loads the files. Every file must be good: an empty or unreadable client CA is an
// error, never the system's roots. Its errors are *FileError, or say which field of files
// does not fit. What is odd but usable is logged as a warning, here and at a reload.
func New(files Files, log *slog.Logger) (*Reloader, error) {
	if err := files.validate(); err != nil {
		return nil, err
	}
	r := &Reloader{files: files, log: log, now: time.Now}
	next, err := load(files)
	if err != nil {
		return nil, err
	}
	r.install(next)
	return r, nil
}

// Reload reads the files and, if their content has changed, replaces the whole state in
// one step. On an error the old state stays. Open connections keep their keys; whether
// their clients are still trusted is for Verify to say.
func (r *Reloader) Reload() (changed bool, err error) {
	r.reload.Lock()
	defer r.reload.Unlock()
	old := r.current.Load()
	sums, err := digests(r.files.sources())
	if err != nil {
		return false, err
	}
	if same(sums, old.sums) {
		return false, nil
	}
	next, err := load(r.files)
	if err != nil {
		return false, err
	}
	if same(next.sums, old.sums) {
		return false, nil
	}
	if now := r.now(); old.valid(now) == nil {
		if err := next.valid(now); err != nil {
			return false, fileError(RoleServer, r.files.Cert, fmt.Errorf("%w; the old one is, and stays", err))
		}
	}
	r.install(next)
	return true, nil
}

func (r *Reloader) install(next *snapshot) {
	next.config = r.config(next)
	for _, w := range next.warnings(r.now()) {
		r.log.Warn("certificate may not work", "subject", w.subject, "reason", w.reason)
	}
	r.current.Store(next)
}

// Config is for the listener. Each handshake takes one snapshot of the state and keeps it.
func (r *Reloader) Config() *tls.Config {
	outer := r.base()
	outer.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return r.current.Load().config, nil
	}
	return outer
}

// Verify says whether one of the chains, all of one client and verified in its handshake,
// is trusted now: every certificate is valid, leads to a CA of the present client
// CA file, and is on no revocation list; with lists configured each issuer needs a good one.
// It is meant to be asked on every request. Errors wrap one of the package's sentinels.
func (r *Reloader) Verify(chains [][]*x509.Certificate) error {
	return r.current.Load().verify(chains, r.now())
}

// Expiry lists when each certificate and list in use ends, the earliest of a role first.
func (r *Reloader) Expiry() []Expiry { return r.current.Load().expiry() }

// Valid wraps ErrExpired if the server's certificate is not valid at now.
func (r *Reloader) Valid(now time.Time) error { return r.current.Load().valid(now) }
