package status

import (
	"cmp"
	"fmt"
	"mime"
	"slices"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy"
)

// Scrape is one of the last scrapes. The names of its fields are those of the access log.
type Scrape struct {
	Subject  string    `json:"subject"`          // who asked
	Digest   string    `json:"digest,omitempty"` // how the digest of the static token begins
	Remote   string    `json:"remote"`           // address and port of the peer
	At       time.Time `json:"at"`
	Duration float64   `json:"duration"` // seconds, until the last byte was written
	Status   int       `json:"status"`   // 0: cut short
	Good     bool      `json:"good"`
	Samples  int64     `json:"samples"`
	Bytes    int64     `json:"bytes"` // of the body as it was sent, encoded
	Format   string    `json:"format,omitempty"`
	Encoding string    `json:"encoding,omitempty"`
	Shared   bool      `json:"shared,omitempty"` // answered by an exchange that another request started
	Reason   string    `json:"reason,omitempty"` // why it failed
	Err      string    `json:"err,omitempty"`
}

// Scraper is an identity that scrapes from one address.
type Scraper struct {
	Subject     string    `json:"subject"`
	Address     string    `json:"address"`            // of the peer, without a port
	Interval    float64   `json:"interval,omitempty"` // seconds, the median of its last gaps; 0: one scrape
	LastSuccess time.Time `json:"last_success,omitzero"`
	Scrapes     int64     `json:"scrapes"` // since the start
	Failed      int64     `json:"failed"`  // of these
	Latest      Scrape    `json:"latest"`
}

func scrapeOf(s proxy.Scrape) Scrape {
	return Scrape{Subject: s.Who, Digest: s.Digest, Remote: s.Remote, At: s.At.UTC(), Duration: s.Duration.Seconds(), Status: s.Code,
		Good: s.Good(), Samples: s.Samples, Bytes: s.Bytes, Format: s.Format, Encoding: s.Encoding, Shared: s.Shared,
		Reason: s.Reason, Err: s.Err}
}

// scrapersOf is the list in the order of names and addresses.
func scrapersOf(list []proxy.Scraper) []Scraper {
	scrapers := []Scraper{}
	for _, s := range list {
		scrapers = append(scrapers, Scraper{Subject: s.Latest.Who, Address: s.Address, Interval: s.Interval.Seconds(),
			LastSuccess: s.LastSuccess.UTC(), Scrapes: s.Scrapes, Failed: s.Failed, Latest: scrapeOf(s.Latest)})
	}
	slices.SortFunc(scrapers, func(a, b Scraper) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Address, b.Address))
	})
	return scrapers
}

// Result is the status for a person.
func (s Scrape) Result() string {
	if s.Status == 0 {
		return "cut"
	}
	return fmt.Sprint(s.Status)
}

// Size is Bytes for a person.
func (s Scrape) Size() string { return humanBytes(s.Bytes) }

// Late tells whether a scraper that used to come does not: three of its intervals have passed. The
// interval of one that came five times at most is not known: it may be a person. After a day it is
// gone for good.
func (s Scraper) Late(now time.Time) bool {
	quiet, most := now.Sub(s.Latest.At), 10*time.Minute
	if s.Scrapes > 5 {
		most = time.Duration(3 * max(s.Interval, 5) * float64(time.Second))
	}
	return quiet > most && quiet < 24*time.Hour
}

// overdue tells whether a scraper of a known interval has missed a scrape.
func (s Scraper) overdue(now time.Time) bool {
	return s.Interval > 0 && now.Sub(s.Latest.At).Seconds() > 1.5*max(s.Interval, 5)
}

// FormatName is the short name of Format.
func (s Scrape) FormatName() string {
	mediaType, params, err := mime.ParseMediaType(s.Format)
	switch {
	case err != nil:
		return s.Format
	case mediaType == "text/plain":
		return "text " + params["version"]
	case mediaType == "application/openmetrics-text":
		return "OpenMetrics " + params["version"]
	case mediaType == "application/vnd.google.protobuf":
		return "protobuf"
	}
	return mediaType
}

// humanBytes is n in the largest unit that tells.
func humanBytes(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
