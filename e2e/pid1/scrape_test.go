package pid1

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// client is an HTTP client on the second host. With fresh it never keeps a connection.
func (s *site) client(pair *testca.Pair, fresh bool) *http.Client {
	config := &tls.Config{RootCAs: s.pki.CA.Pool(), ServerName: "localhost"}
	if pair != nil {
		config.Certificates = []tls.Certificate{pair.TLS()}
	}
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		TLSClientConfig: config, DisableKeepAlives: fresh, DialContext: s.dial,
	}}
}

// dial connects from the second host.
func (s *site) dial(ctx context.Context, network, address string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		var r result
		defer func() { done <- r }()
		namespace, err := os.Open(fmt.Sprintf("/proc/%d/root/run/netns/scraper", s.pid))
		if err != nil {
			r.err = err
			return
		}
		defer func() { _ = namespace.Close() }()
		if r.err = unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); r.err == nil {
			r.conn, r.err = (&net.Dialer{}).DialContext(ctx, network, address)
		}
	}()
	r := <-done
	return r.conn, r.err
}

// scraper reads the metrics of one gate as Prometheus does.
type scraper struct {
	client *http.Client
	port   string
	token  string // bearer token, or empty
	runner string // the runner_name that the samples must have
}

// errStatus is an answer other than 200.
type errStatus int

// Error implements error.
func (e errStatus) Error() string { return fmt.Sprintf("status %d", int(e)) }

// scrape wants a whole answer with the runner's name.
func (c scraper) scrape() error {
	request, err := http.NewRequest(http.MethodGet, "https://192.0.2.1:"+c.port+"/metrics", nil)
	if err != nil {
		return err
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode != http.StatusOK:
		return errStatus(response.StatusCode)
	case !strings.Contains(string(body), `runner_name="`+c.runner+`"`):
		return errors.New("no runner_name in " + string(body))
	}
	return nil
}

// scraping are two scrapers that do not stop, one with a kept connection and one without.
type scraping struct {
	between sync.RWMutex // held by each scrape for reading
	stop    func()
	count   [2]int
}

// leastScrapes is how often each scraper scrapes, however slow the machine is.
const leastScrapes = 4

// keepScraping starts to scrape the gate eight times a second. Each scrape must succeed until the
// returned value's stop is called.
func (s *site) keepScraping(t *testing.T) *scraping {
	t.Helper()
	running := &scraping{}
	ctx, cancel := context.WithCancel(t.Context())
	var both sync.WaitGroup
	for i, fresh := range []bool{false, true} {
		c := s.prometheus()
		c.client = s.client(s.pair, fresh)
		both.Go(func() {
			tick := time.NewTicker(time.Second / 4)
			defer tick.Stop()
			for ctx.Err() == nil || running.count[i] < leastScrapes {
				running.between.RLock()
				err := c.scrape()
				running.between.RUnlock()
				if err != nil {
					t.Errorf("scraper %d lost a scrape: %v", i, err)
				}
				running.count[i]++
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		})
	}
	running.stop = sync.OnceFunc(func() {
		cancel()
		both.Wait()
		t.Logf("%d scrapes", running.count)
	})
	t.Cleanup(running.stop)
	return running
}
