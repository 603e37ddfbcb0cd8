package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"slices"
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

// New loads the files. Every file must be good: an empty or unreadable client CA file is an
// error, never the system's roots. The error joins all that is wrong: a *FileError for each
// bad file (see FileErrors), or which field of files does not fit. What is odd but usable is
// logged as a warning, here and at a reload.
func New(files Files, log *slog.Logger) (*Reloader, error) {
	return newReloader(files, log, time.Now)
}

func newReloader(files Files, log *slog.Logger, now func() time.Time) (*Reloader, error) {
	if err := files.validate(); err != nil {
		return nil, err
	}
	r := &Reloader{files: files, log: log, now: now}
	next, err := r.load()
	if err != nil {
		return nil, err
	}
	r.install(next)
	return r, nil
}

// load reads the files into a snapshot with which a handshake succeeds.
func (r *Reloader) load() (*snapshot, error) {
	next, err := load(r.files, r.now())
	if err != nil {
		return nil, err
	}
	if err := r.configure(next); err != nil {
		return nil, err
	}
	return next, nil
}

// Reload reads the files and, if their content has changed, replaces the whole state in
// one step. On an error, as of New, the old state stays. It also stays where the new one is
// a step back: an expired certificate after a valid one, a revocation list older than the one in
// use (ErrOlderList). Open connections keep their keys; whether their clients are still
// trusted is for Verify to say.
func (r *Reloader) Reload() (changed bool, err error) {
	r.reload.Lock()
	defer r.reload.Unlock()
	old := r.current.Load()
	if sums, err := digests(r.files.sources()); err == nil && slices.Equal(sums, old.sums) {
		return false, nil
	}
	next, err := r.load()
	if err != nil {
		return false, err
	}
	if slices.Equal(next.sums, old.sums) {
		return false, nil
	}
	if err := r.checkStepBack(old, next); err != nil {
		return false, err
	}
	r.install(next)
	return true, nil
}

func (r *Reloader) checkStepBack(old, next *snapshot) error {
	var all []error
	if now := r.now(); old.valid(now) == nil {
		if err := next.valid(now); err != nil {
			all = append(all, fileError(RoleServer, r.files.Cert,
				advise(fmt.Errorf("%w; the certificate in use is valid and stays", err), advice(err))))
		}
	}
	if err := old.trust.lists.checkRollback(next.trust.lists); err != nil {
		all = append(all, fileError(RoleCRL, r.files.ClientCRL, err))
	}
	return join(all)
}

func (r *Reloader) install(next *snapshot) {
	for _, w := range next.warnings(r.now()) {
		r.log.Warn("certificate may not work", "file", w.Role, "subject", w.Subject, "reason", w.Reason,
			"advice", w.Advice, "expired", w.Expired)
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
// is trusted now: every certificate is valid, strong enough, leads to a CA of the present
// client CA file, and is on no revocation list. With lists configured each issuer needs a good
// one. Ask it on every request. Errors are *CertificateError and wrap one of the package's sentinels.
func (r *Reloader) Verify(chains [][]*x509.Certificate) error {
	return r.current.Load().verify(chains, r.now())
}

// Expiry lists when each certificate and list in use expires: the server's certificate and its
// intermediates, the client CAs, the revocation lists; of each role the earliest first.
func (r *Reloader) Expiry() []Expiry { return r.current.Load().expiry() }

// Warnings lists what is odd about the files in use at this time, though it does not keep them
// from being used: for instance an expired intermediate in the server's chain.
func (r *Reloader) Warnings() []Warning { return r.current.Load().warnings(r.now()) }

// Valid wraps ErrExpired if the server's certificate is not valid at now.
func (r *Reloader) Valid(now time.Time) error { return r.current.Load().valid(now) }
