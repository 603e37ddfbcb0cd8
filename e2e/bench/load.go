package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// order is one command for the load process, as a JSON value.
type order struct {
	Open *plan // connect and warm up, so that Run measures the steady state
	Once bool  // with Open: one scrape only
	Run  int   // number of scrapes
	Show bool  // one scrape with its body
	Pace *pace // scrapes at intervals

	Crowd *crowd // kept scrapers and newcomers
}

// plan says how to scrape.
type plan struct {
	Address     string
	Header      []string // complete header lines
	Connections int      // at the same time
	Fresh       bool     // a new connection for each scrape
	Classical   bool     // X25519 alone: no post-quantum key exchange
	Anonymous   bool     // no client certificate
}

// result is the answer to an order.
type result struct {
	Err         string
	Median, P99 time.Duration
	Bytes       int64 // of one body
	Suite       string
	Body        []byte
	Paced       []result // of each plan of a pace

	Newcomers, Lost int // of a crowd
}

// loadRole runs the orders on stdin until its end.
func loadRole(dir string) error {
	p, err := openPKI(dir)
	if err != nil {
		return err
	}
	l := &load{pki: p}
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var o order
		if err := in.Decode(&o); err != nil {
			l.close()
			return nil
		}
		r, err := l.obey(o)
		if err != nil {
			r.Err = err.Error()
		}
		if err := out.Encode(r); err != nil {
			return err
		}
	}
}

// load holds the connections of one plan.
type load struct {
	pki      *pki
	plan     plan
	scrapers []*scraper
	paced    map[string]*scraper // by address
}

func (l *load) obey(o order) (result, error) {
	switch {
	case o.Open != nil:
		l.close()
		l.plan, l.scrapers = *o.Open, nil
		for range l.plan.Connections {
			l.scrapers = append(l.scrapers, newScraper(l.pki, l.plan))
		}
		if o.Once {
			return l.run(1)
		}
		return l.run(3 * l.plan.Connections)
	case o.Pace != nil:
		return l.pace(*o.Pace), nil
	case o.Crowd != nil:
		return l.crowd(*o.Crowd), nil
	case o.Show:
		s := newScraper(l.pki, l.plan)
		defer s.close()
		var body strings.Builder
		_, err := s.scrape(&body)
		return result{Body: []byte(body.String())}, err
	default:
		return l.run(o.Run)
	}
}

// run distributes n scrapes over the connections.
func (l *load) run(n int) (result, error) {
	var all []time.Duration
	var first error
	var mu sync.Mutex
	var group sync.WaitGroup
	r := result{}
	for i, s := range l.scrapers {
		share := n / len(l.scrapers)
		if i < n%len(l.scrapers) {
			share++
		}
		group.Go(func() {
			times, size, err := s.times(share, l.plan.Fresh)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, times...)
			r.Bytes, r.Suite = size, s.suite
			if first == nil {
				first = err
			}
		})
	}
	group.Wait()
	if len(all) > 0 {
		slices.Sort(all)
		r.Median, r.P99 = all[len(all)/2], all[len(all)*99/100]
	}
	return r, first
}

func (l *load) close() {
	for _, s := range l.scrapers {
		s.close()
	}
	for _, s := range l.paced {
		s.close()
	}
	l.paced = nil
}

// scraper is one connection, opened on first use.
type scraper struct {
	address string
	from    net.Addr // nil: any
	config  *tls.Config
	request []byte
	suite   string
	conn    *tls.Conn
	in      *bufio.Reader
}

func newScraper(k *pki, p plan) *scraper {
	config := k.client()
	if p.Classical {
		config.CurvePreferences = []tls.CurveID{tls.X25519}
	}
	if p.Anonymous {
		config.Certificates = nil
	}
	header := strings.Join(append([]string{"GET /metrics HTTP/1.1", "Host: " + p.Address}, p.Header...), "\r\n")
	return &scraper{address: p.Address, config: config, request: []byte(header + "\r\n\r\n"),
		in: bufio.NewReaderSize(nil, 65536)}
}

func (s *scraper) times(n int, fresh bool) (times []time.Duration, size int64, err error) {
	for range n {
		start := time.Now()
		if size, err = s.scrape(io.Discard); err != nil {
			s.close()
			return times, size, err
		}
		if fresh {
			s.close()
		}
		times = append(times, time.Since(start))
	}
	return times, size, nil
}

// scrape sends one request and reads the complete answer.
func (s *scraper) scrape(to io.Writer) (int64, error) {
	if s.conn == nil {
		conn, err := (&net.Dialer{Timeout: time.Second, LocalAddr: s.from}).Dial("tcp", s.address)
		if err != nil {
			return 0, err
		}
		s.conn = tls.Client(conn, s.config)
		s.in.Reset(s.conn)
	}
	_ = s.conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := s.conn.Write(s.request); err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(s.in, nil)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(to, answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("answer %q", answer.Status)
	}
	if s.suite == "" {
		state := s.conn.ConnectionState()
		s.suite = tls.CipherSuiteName(state.CipherSuite) + " " + state.CurveID.String()
	}
	return n, err
}

func (s *scraper) close() {
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
}
