package scrape

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/exposition"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// flightKey identifies scrapes that can share an exchange.
type flightKey struct {
	accept string
	head   bool
}

// flight is one exchange for the runner's metrics and the waiters that share its answer. It
// starts on the goroutine of the request that started it. Any waiter may leave at any time,
// that one too. When the last one leaves, the exchange is canceled.
//
// While the labelled answer is small it is collected, and waiters with the same key may
// join. At its end, or when it grows beyond smallChunks, nobody can join any more, and the
// waiters write what is in their variant. A larger answer is streamed on a goroutine of its
// own, so that a waiter's writing does not stop it. A flight that nobody joined is used again.
type flight struct {
	handler  *Handler
	key      flightKey
	identity string // whose slot the exchange uses
	deadline time.Time
	exchange upstream.Exchange

	// Used only by the goroutine that runs the flight:
	start     time.Time
	answer    *upstream.Response
	reader    *exposition.Reader
	pending   []*chunk // labelled, not published
	small     chunk    // all of a small answer
	one       [1]*chunk
	encoders  [encodings]*encoder
	version   *versionFinder // nil: do not look
	streaming bool

	mu          sync.Mutex
	variants    [encodings]variant
	count       int  // of waiters
	joined      bool // by a second waiter
	canceled    bool
	err         error
	contentType []string
	stats       exposition.Stats
	room        chan struct{} // buffered by one: a chunk was released, or a waiter left; nil: not streaming
}

// join adds wt, unless all waiters have left.
func (f *flight) join(wt *waiter) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.canceled {
		return false
	}
	f.joined = f.count > 0 // true from then on: a flight without waiters is canceled
	f.count++
	v := &f.variants[wt.encoding]
	if v.waiters == nil {
		v.waiters = v.one.waiter[:0]
	}
	v.waiters = append(v.waiters, wt)
	return true
}

// leave removes wt. If it is the last waiter, the exchange is canceled with cause.
func (f *flight) leave(wt *waiter, cause error) (last bool) {
	f.mu.Lock()
	v := &f.variants[wt.encoding]
	if v.remove(wt) {
		f.count--
		v.trim(f.handler.buffers)
	}
	last = f.count == 0 && !f.canceled
	if last {
		f.canceled = true
		f.exchange.Cancel(cause)
	}
	f.signalRoom()
	f.mu.Unlock()
	if last {
		f.handler.group.remove(f)
	}
	return last
}

// keep empties f, which wt has left, and keeps it for the next flight that wt begins. It does nothing
// if others may have f: waiters that joined, or the goroutine that streams.
func (f *flight) keep(wt *waiter) {
	if wt.isLeader && !f.streaming && !f.joined { // nobody can join it any more, so no mutex
		*f = flight{}
		wt.flight = f
	}
}

// signalRoom wakes awaitRoom. f.mu is held.
func (f *flight) signalRoom() {
	select {
	case f.room <- struct{}{}:
	default:
	}
}

// run runs the flight until the answer is complete, failed, or streamed by another goroutine.
func (f *flight) run() {
	f.start = time.Now()
	err := f.guard(f.fetchSmall)
	if err == nil && f.streaming {
		go f.streamRest()
		return
	}
	f.end(err)
}

// streamRest streams a large answer.
func (f *flight) streamRest() {
	f.mu.Lock()
	f.room = make(chan struct{}, 1)
	f.mu.Unlock()
	err := f.guard(f.startStreaming)
	if err == nil {
		err = f.guard(f.copyLoop)
	}
	f.end(err)
}

// guard turns a panic into an error: one bad answer must not end the process.
func (f *flight) guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			f.reader = nil // its state is unknown
			err = upstream.Errorf(upstream.ReasonOther, "panic: %v", p)
		}
	}()
	return f.exchange.Cause(do())
}

// end ends the exchange, and then the flight: the slot and the connection are free before
// any waiter gets the end of the answer, so that the client's next request finds them.
func (f *flight) end(err error) {
	o := &f.handler.o
	if f.answer != nil {
		f.answer.Close()
	}
	if f.reader != nil {
		f.stats = f.reader.Stats()
		f.handler.buffers.keepReader(f.reader)
		f.reader = nil
	}
	o.Limiter.Release(f.identity)
	if down := o.Observer.AddExchange(time.Since(f.start), f.stats.Samples, f.stats.Conflicts, err); down > 0 {
		o.Log.Info("the runner is back", "down", down.Round(time.Millisecond).String())
	}
	if err != nil {
		f.report(err)
	}
	f.finish(err)
}

// report logs a failed exchange, once for all its waiters.
func (f *flight) report(err error) {
	level := slog.LevelWarn
	if upstream.ReasonOf(err) == upstream.ReasonCanceled {
		level = slog.LevelDebug
	}
	f.handler.o.Log.Log(context.Background(), level, "scrape of the runner failed",
		"route", proxy.RouteMetrics.String(), "reason", upstream.ReasonOf(err).String(), "err", err.Error())
}

// fetchSmall asks the runner, and reads its answer to the end or until it is large.
func (f *flight) fetchSmall() error {
	o := &f.handler.o
	method := http.MethodGet
	if f.key.head {
		method = http.MethodHead
	}
	var err error
	ask := upstream.Request{Method: method, Path: proxy.MetricsPath, Accept: f.key.accept, Deadline: f.deadline}
	f.answer, err = o.Upstream.Do(&ask, &f.exchange)
	if err != nil {
		return err
	}
	format, err := f.handler.formats.of(f.answer.ContentType)
	if err != nil {
		return upstream.Errorf(upstream.ReasonFormat, "content type %q: %w", f.answer.ContentType, err)
	}
	f.contentType = format.header
	if f.key.head {
		return nil
	}
	if f.handler.version.due(f.start) {
		f.version = new(versionFinder)
	}
	f.reader = f.handler.buffers.readers.Get()
	f.reader.Reset(f.answer, format.format, o.Labels(), o.Limits)
	var ok bool
	if f.small, ok = f.handler.buffers.borrow(f.reader); ok {
		f.pending = append(f.one[:0], &f.small)
		f.stats, f.reader = f.reader.Stats(), nil
		return nil
	}
	return f.copyLoop()
}

// readError gives an error of the exposition its reason. Errors of its source have one.
func readError(err error) error {
	var known *upstream.Error
	var syntax *exposition.SyntaxError
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &syntax):
		return &upstream.Error{Reason: upstream.ReasonSyntax, Err: err}
	case errors.Is(err, exposition.ErrTooLong):
		return &upstream.Error{Reason: upstream.ReasonTooLong, Err: err}
	case errors.Is(err, exposition.ErrTooLarge):
		return &upstream.Error{Reason: upstream.ReasonTooLarge, Err: err}
	case errors.Is(err, exposition.ErrEmpty):
		return &upstream.Error{Reason: upstream.ReasonEmpty, Err: err}
	case errors.Is(err, exposition.ErrTruncated):
		return &upstream.Error{Reason: upstream.ReasonTruncated, Err: err}
	}
	return err
}
