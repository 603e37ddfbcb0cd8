package proxy

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/exposition"
)

// flightKey tells which scrapes can share an exchange.
type flightKey struct {
	accept string
	head   bool
}

// flight is one exchange for the runner's metrics and its members, the requests
// that wait for it. It runs on a goroutine of its own, so that any member may
// leave at any time; when the last one does the exchange is cut.
//
// While the labelled answer is small it is held, and anyone with the same key may
// join. At its end, or when it grows beyond smallChunks, it is closed to others,
// and its members write what their track holds.
type flight struct {
	metrics  *Metrics
	key      flightKey
	identity string // whose slot it has
	deadline time.Time
	in       interrupt

	held    []*chunk // labelled, not emitted; only the goroutine's
	outlets [encodings]*outlet
	stream  bool

	mu          sync.Mutex
	tracks      [encodings]track
	count       int // of members
	dead        bool
	err         error
	contentType []string
	stats       exposition.Stats
	room        chan struct{} // buffered by one: a member got on or left
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
	t.members = append(t.members, m)
	return true
}

// leave removes m. If it is the last the exchange ends with cause.
func (f *flight) leave(m *member, cause error) {
	f.mu.Lock()
	t := &f.tracks[m.encoding]
	if t.remove(m) {
		f.count--
		t.trim(f.metrics.supplies)
	}
	last := f.count == 0 && !f.dead
	if last {
		f.dead = true
		f.in.cut(cause)
	}
	f.mu.Unlock()
	f.nudge()
	if last {
		f.metrics.group.remove(f)
	}
}

// nudge tells the goroutine that there may be room.
func (f *flight) nudge() {
	select {
	case f.room <- struct{}{}:
	default:
	}
}

// run is the goroutine. The slot and the connection are free again before anyone
// gets the answer, so the next request of the same client finds them.
func (f *flight) run() {
	start := time.Now()
	err := f.exchange()
	f.metrics.o.Slots.Release(f.identity)
	f.metrics.o.Observer.exchange(time.Since(start), f.stats.Samples, f.stats.Conflicts, err)
	if err != nil {
		f.report(err)
	}
	f.finish(err)
}

// report logs a failed exchange, once for all its members.
func (f *flight) report(err error) {
	level := slog.LevelWarn
	if reasonOf(err) == reasonCanceled {
		level = slog.LevelDebug
	}
	f.metrics.o.Log.Log(context.Background(), level, "scrape of the runner failed",
		"route", routeMetrics.String(), "reason", reasonOf(err).String(), "err", err.Error())
}

// exchange asks the runner and reads its answer to the end.
func (f *flight) exchange() (err error) {
	defer func() {
		if p := recover(); p != nil { // one bad answer must not end the process
			err = faultf(reasonOther, "panic: %v", p)
		}
	}()
	o := &f.metrics.o
	method := http.MethodGet
	if f.key.head {
		method = http.MethodHead
	}
	a, err := o.Upstream.do(&request{method: method, path: metricsPath, accept: f.key.accept, deadline: f.deadline}, &f.in)
	if err != nil {
		return err
	}
	defer a.Close()
	format, err := exposition.FormatOf(a.contentType)
	if err != nil {
		return &fault{reasonFormat, fmt.Errorf("content type %q: %w", a.contentType, err)}
	}
	f.contentType = []string{a.contentType}
	if f.key.head {
		return nil
	}
	r := f.metrics.supplies.readers.get()
	r.Reset(a, format, o.Labels(), o.Limits)
	err = f.pump(r)
	f.stats = r.Stats()
	r.Reset(nil, format, nil, o.Limits)
	f.metrics.supplies.readers.put(r)
	return f.in.explain(err)
}
