package status

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	maxRefusals = 32  // kept; refusals that differ in time alone are one
	maxText     = 512 // bytes of one string of a refusal, which a client may have chosen
)

// Refusal is what a warning of the log says about a request or a handshake. The names of its
// fields are those of the log.
type Refusal struct {
	At      time.Time `json:"at"`    // the latest
	Times   int64     `json:"times"` // since First
	First   time.Time `json:"first"`
	Message string    `json:"msg"`
	Remote  string    `json:"remote"` // address and port of the peer
	Method  string    `json:"method,omitempty"`
	Subject string    `json:"subject,omitempty"` // as the client claims it
	Issuer  string    `json:"issuer,omitempty"`
	Route   string    `json:"route,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Err     string    `json:"err,omitempty"`
	Advice  string    `json:"advice,omitempty"`
	host    string    // of Remote
}

// Refusals keeps the latest refusals. The stage that refuses a request logs it, so they come
// from the log, also those that the log's limit or level leaves out.
type Refusals struct {
	mu   sync.Mutex
	list []Refusal // the latest last
}

// Latest returns the refusals, newest first.
func (l *Refusals) Latest() []Refusal {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := append([]Refusal{}, l.list...) // JSON has [] for none
	slices.Reverse(list)
	return list
}

// Handler returns a handler that keeps the refusals among the records, and passes all on to
// next.
func (l *Refusals) Handler(next slog.Handler) slog.Handler { return refusalHandler{next, l} }

type refusalHandler struct {
	slog.Handler
	refusals *Refusals
}

// Enabled implements slog.Handler.
func (h refusalHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn || h.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h refusalHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level == slog.LevelWarn {
		if refusal := refusalOf(r); refusal.Remote != "" {
			h.refusals.add(refusal)
		}
	}
	if !h.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler. What is said of a request is said in one record.
func (h refusalHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return refusalHandler{h.Handler.WithAttrs(attrs), h.refusals}
}

// WithGroup implements slog.Handler.
func (h refusalHandler) WithGroup(name string) slog.Handler {
	return refusalHandler{h.Handler.WithGroup(name), h.refusals}
}

// refusalOf reads a record. It has no Remote if it is about no peer.
func refusalOf(r slog.Record) Refusal {
	at := r.Time.UTC()
	refusal := Refusal{At: at, First: at, Times: 1, Message: r.Message}
	r.Attrs(func(a slog.Attr) bool {
		if field := refusal.field(a.Key); field != nil {
			*field = shortened(a.Value.String())
		}
		return true
	})
	refusal.host = host(refusal.Remote)
	return refusal
}

// field is where the value of a log field belongs; nil: nowhere.
func (r *Refusal) field(key string) *string {
	switch key {
	case "remote":
		return &r.Remote
	case "method":
		return &r.Method
	case "subject":
		return &r.Subject
	case "issuer":
		return &r.Issuer
	case "route":
		return &r.Route
	case "reason":
		return &r.Reason
	case "err":
		return &r.Err
	case "advice":
		return &r.Advice
	}
	return nil
}

// add adds a refusal, or counts it for an earlier one of the same peer for the same reason.
func (l *Refusals) add(refusal Refusal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.list, refusal.repeats)
	if i >= 0 {
		refusal.First = l.list[i].First
		refusal.Times += l.list[i].Times
	} else if len(l.list) == maxRefusals {
		i = l.oldestOfMost()
	}
	if i >= 0 {
		l.list = slices.Delete(l.list, i, i+1)
	}
	l.list = append(l.list, refusal)
}

// oldestOfMost is the oldest refusal of the host with most of them: one host does not push out what
// others were refused.
func (l *Refusals) oldestOfMost() int {
	count, most := map[string]int{}, 0
	for _, r := range l.list {
		count[r.host]++
		most = max(most, count[r.host])
	}
	return slices.IndexFunc(l.list, func(r Refusal) bool { return count[r.host] == most })
}

// repeats tells whether r is another refusal of the same.
func (r Refusal) repeats(other Refusal) bool {
	return r.Message == other.Message && r.host == other.host && r.Method == other.Method &&
		r.Subject == other.Subject && r.Issuer == other.Issuer && r.Route == other.Route && r.Reason == other.Reason
}

// host is the address without the port; of IPv6 the first 64 bits, which is what one host has.
func host(remote string) string {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return remote
	}
	if a := peer.Addr().Unmap(); a.Is6() {
		if network, err := a.WithZone("").Prefix(64); err == nil {
			return network.String()
		}
	}
	return peer.Addr().Unmap().String()
}

// shortened is a copy of s that is at most maxText bytes long.
func shortened(s string) string {
	if len(s) <= maxText {
		return strings.Clone(s)
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
