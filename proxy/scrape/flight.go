package scrape

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/exposition"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// flightKey tells which scrapes can share an exchange.
type flightKey struct {
	accept string
	head   bool
}

// flight is one exchange for the runner's metrics and its members, the requests
// that wait for it. It begins on the goroutine of the request that started it, and any
// member may leave at any time, that one too; when the last one does the exchange
// is cut.
//
// While the labelled answer is small it is held, and anyone with the same key may
// join. At its end, or when it grows beyond smallChunks, it is closed to others,
// and its members write what their track holds. What is larger goes on on a goroutine of
// its own, so that no member's writing holds it up.
type flight struct {
	metrics  *Handler
	key      flightKey
	identity string // whose slot it has
	deadline time.Time
	in       upstream.Canceler

	// Only for the goroutine that runs it:
	start   time.Time
	answer  *upstream.Response
	reader  *exposition.Reader
	held    []*chunk // labelled, not emitted
	whole   chunk    // all of a small answer
	one     [1]*chunk
	outlets [encodings]*outlet
	stream  bool

	mu          sync.Mutex
	tracks      [encodings]track
	count       int // of members
	dead        bool
	err         error
	contentType []string
	stats       exposition.Stats
	room        chan struct{} // buffered by one: a member got on or left; nil: nobody waits for that
}

// join adds m, unless all members have left before.
func (f *flight) join(m *member) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return false
	}
	f.count++
	t := &f.tracks[m.encoding]
	if t.members == nil {
		t.members = t.one.member[:0]
	}
	t.members = append(t.members, m)
	return true
}

// leave removes m. If it is the last the exchange ends with cause.
func (f *flight) leave(m *member, cause error) (last bool) {
	f.mu.Lock()
	t := &f.tracks[m.encoding]
	if t.remove(m) {
		f.count--
		t.trim(f.metrics.supplies)
	}
	last = f.count == 0 && !f.dead
	if last {
		f.dead = true
		f.in.Cancel(cause)
	}
	f.nudge()
	f.mu.Unlock()
	if last {
		f.metrics.group.remove(f)
	}
	return last
}

// nudge tells the goroutine that there may be room; f.mu is held.
func (f *flight) nudge() {
	select {
	case f.room <- struct{}{}:
	default:
	}
}

// run runs the flight until it is known what its members get.
func (f *flight) run() {
	f.start = time.Now()
	err := f.guard(f.hold)
	if err == nil && f.stream {
		go f.rest()
		return
	}
	f.end(err)
}

// rest streams what is not held.
func (f *flight) rest() {
	f.mu.Lock()
	f.room = make(chan struct{}, 1)
	f.mu.Unlock()
	err := f.guard(f.open)
	if err == nil {
		err = f.guard(f.pump)
	}
	f.end(err)
}

// guard makes an error of a panic: one bad answer must not end the process.
func (f *flight) guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			f.reader = nil // in whatever state
			err = upstream.Errorf(upstream.ReasonOther, "panic: %v", p)
		}
	}()
	return f.in.Cause(do())
}

// end ends the exchange, and then the flight: the slot and the connection are free
// before anyone gets the end of the answer, so that the next request of the
// same client finds them.
func (f *flight) end(err error) {
	o := &f.metrics.o
	if f.answer != nil {
		f.answer.Close()
	}
	if f.reader != nil {
		f.stats = f.reader.Stats()
		f.metrics.supplies.keepReader(f.reader)
		f.reader = nil
	}
	o.Limiter.Release(f.identity)
	o.Observer.AddExchange(time.Since(f.start), f.stats.Samples, f.stats.Conflicts, err)
	if err != nil {
		f.report(err)
	}
	f.finish(err)
}

// report logs a failed exchange, once for all its members.
func (f *flight) report(err error) {
	level := slog.LevelWarn
	if upstream.ReasonOf(err) == upstream.ReasonCanceled {
		level = slog.LevelDebug
	}
	f.metrics.o.Log.Log(context.Background(), level, "scrape of the runner failed",
		"route", proxy.RouteMetrics.String(), "reason", upstream.ReasonOf(err).String(), "err", err.Error())
}

// hold asks the runner, and reads its answer to the end or until it is too large to
// be held.
func (f *flight) hold() error {
	o := &f.metrics.o
	method := http.MethodGet
	if f.key.head {
		method = http.MethodHead
	}
	var err error
	f.answer, err = o.Upstream.Do(&upstream.Request{Method: method, Path: proxy.MetricsPath, Accept: f.key.accept, Deadline: f.deadline}, &f.in)
	if err != nil {
		return err
	}
	format, err := f.metrics.formats.of(f.answer.ContentType)
	if err != nil {
		return &upstream.Error{Reason: upstream.ReasonFormat, Err: fmt.Errorf("content type %q: %w", f.answer.ContentType, err)}
	}
	f.contentType = format.header
	if f.key.head {
		return nil
	}
	f.reader = f.metrics.supplies.readers.Get()
	f.reader.Reset(f.answer, format.format, o.Labels(), o.Limits)
	var ok bool
	if f.whole, ok = f.metrics.supplies.lend(f.reader); ok {
		f.held = append(f.one[:0], &f.whole)
		f.stats, f.reader = f.reader.Stats(), nil
		return nil
	}
	return f.pump()
}
