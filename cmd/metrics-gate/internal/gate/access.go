package gate

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/proxy"
)

type accessKey struct{}

// logAccess logs each request, refused ones too, with the identity that noteIdentity finds,
// or what a refused one claims. It belongs outside of authentication.
func logAccess(log *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var id auth.Identity
			start, seen, returned := time.Now(), proxy.NewStatusRecorder(w), false
			defer func() {
				status := seen.Status()
				if status == 0 && returned {
					status = http.StatusOK // what the server answers for a handler that wrote nothing
				}
				log.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("remote", r.RemoteAddr),
					slog.String("method", id.Method), slog.String("subject", id.Subject),
					slog.String("issuer", id.Issuer), slog.String("request_method", r.Method),
					slog.String("route", proxy.RouteOf(r).String()), slog.Int("status", status),
					slog.Bool("aborted", !returned), slog.Int64("bytes", seen.Bytes()),
					slog.Float64("duration", time.Since(start).Seconds()),
					slog.String("format", w.Header().Get("Content-Type")),
					slog.String("encoding", w.Header().Get("Content-Encoding")))
			}()
			next.ServeHTTP(seen, r.WithContext(context.WithValue(r.Context(), accessKey{}, &id)))
			returned = true
		})
	}
}

// noteIdentity tells logAccess who sends a request. It belongs right behind authentication.
func noteIdentity(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, ok := r.Context().Value(accessKey{}).(*auth.Identity); ok {
			*id, _ = auth.FromContext(r.Context())
		}
		next.ServeHTTP(w, r)
	})
}

// noteRefused tells logAccess whom a refused request claims to be from.
func noteRefused(r *http.Request, method, subject, issuer string) {
	if id, ok := r.Context().Value(accessKey{}).(*auth.Identity); ok {
		id.Method, id.Subject, id.Issuer = method, subject, issuer
	}
}

// maxFirstUses bounds the pairs of identity and address that logFirstUse remembers. When all
// are in use it forgets them, and logs each once more.
const maxFirstUses = 4096

type firstUse struct {
	identity, digest string
	from             netip.Addr
}

// logFirstUse returns what logs the first request that an identity, or one of its tokens, is
// allowed from an address.
func logFirstUse(log *slog.Logger) func(*http.Request) {
	var mu sync.Mutex
	uses := map[firstUse]struct{}{}
	isFirst := func(use firstUse) bool {
		mu.Lock()
		defer mu.Unlock()
		if _, ok := uses[use]; ok {
			return false
		}
		if len(uses) >= maxFirstUses {
			clear(uses)
		}
		uses[use] = struct{}{}
		return true
	}
	return func(r *http.Request) {
		peer, _ := netip.ParseAddrPort(r.RemoteAddr) // without an address: one for all
		id, _ := auth.FromContext(r.Context())
		if !isFirst(firstUse{identityKey(r), id.Digest, peer.Addr()}) {
			return
		}
		log.LogAttrs(r.Context(), slog.LevelInfo, "first request of an identity from this address",
			slog.String("remote", r.RemoteAddr), slog.String("method", id.Method),
			slog.String("subject", id.Subject), slog.String("issuer", id.Issuer),
			slog.String("digest", id.Digest), slog.String("route", proxy.RouteOf(r).String()))
	}
}
