package profile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/loopback"
	"github.com/metrics-gate/metrics-gate/proxy"
)

// serveProfiles forwards GETs of profiles from a loopback port to the gate, with the
// credentials, until ctx ends. Whoever may use this machine's loopback may fetch
// profiles with them meanwhile, and nothing else.
func serveProfiles(ctx context.Context, p *cli.Process, target *url.URL, transport http.RoundTripper) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("pprof: %w", err)
	}
	server := &http.Server{Handler: proxy.SecurityHeaders(loopback.RequireLocalHost(profileProxy(target, transport,
		p.Build.Version))), ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10}
	local := url.URL{Scheme: "http", Host: ln.Addr().String(), Path: target.Path, RawQuery: target.RawQuery}
	_, err = fmt.Fprintf(p.Stdout, "Ready until Ctrl-C, for this machine alone. Try, in another terminal:\n\n  "+
		"go tool pprof %s\n", shellWord(local.String()))
	if err != nil {
		return errors.Join(fmt.Errorf("pprof --serve: its address cannot be printed: %w", err), ln.Close())
	}
	stopped := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stopped()
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("pprof: %w", err)
	}
	return nil
}

// profileProxy passes on path and query and nothing else of the request.
func profileProxy(target *url.URL, transport http.RoundTripper, version string) http.Handler {
	forward := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.Header = http.Header{"User-Agent": {"metrics-gate/" + version}}
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = target.Scheme, target.Host, ""
		},
		FlushInterval: -1,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		symbols := r.Method == http.MethodPost && r.URL.Path == "/debug/pprof/symbol"
		if !strings.HasPrefix(r.URL.Path, "/debug/pprof/") || (r.Method != http.MethodGet && !symbols) {
			loopback.Plain(w, http.StatusNotFound, "Not Found")
			return
		}
		forward.ServeHTTP(w, r)
	})
}

// progress tells, once in a while, that something long is still under way.
type progress struct {
	out   io.Writer
	began time.Time
	bytes atomic.Int64
	quit  chan struct{}
	done  sync.WaitGroup
	once  sync.Once
}

// startProgress says each interval how long it has taken and what has come.
func startProgress(out io.Writer, interval time.Duration) *progress {
	p := &progress{out: out, began: time.Now(), quit: make(chan struct{})}
	p.done.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-p.quit:
				return
			case <-tick.C:
				fmt.Fprintf(p.out, "%s, %d bytes\n", cli.HumanDuration(time.Since(p.began)), p.bytes.Load())
			}
		}
	})
	return p
}

// count counts what is read through it.
func (p *progress) count(src io.Reader) io.Reader {
	return io.TeeReader(src, countWriter{&p.bytes})
}

// stop ends the telling with a last line, if there is one.
func (p *progress) stop(last string) {
	p.once.Do(func() {
		close(p.quit)
		p.done.Wait()
		if last != "" {
			fmt.Fprintln(p.out, last)
		}
	})
}

type countWriter struct{ n *atomic.Int64 }

// Write implements io.Writer.
func (c countWriter) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return len(b), nil
}

// shellWord quotes a URL for a shell if it needs it: a query has ? and &.
func shellWord(url string) string {
	if strings.ContainsAny(url, "?&") {
		return "'" + url + "'"
	}
	return url
}
