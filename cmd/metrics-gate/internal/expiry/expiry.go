// Package expiry says when certificates and revocation lists expire: as a list, as
// findings, as a metric and in the log.
package expiry

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// Entry says when a certificate or revocation list ends.
type Entry struct {
	Role     string    `json:"role"`
	Subject  string    `json:"subject"`
	NotAfter time.Time `json:"not_after"`
	Days     int       `json:"days"` // whole days left; negative when it has ended

	Intermediate bool `json:"-"` // of the server's chain
}

// List lists what ends when; nil without TLS.
func List(t *tlsconf.Reloader, now time.Time) []Entry {
	if t == nil {
		return nil
	}
	var list []Entry
	for _, e := range t.Expiry() {
		list = append(list, Entry{e.Role, e.Subject, e.NotAfter.UTC(), wholeDays(e.NotAfter.Sub(now)), e.Intermediate})
	}
	return list
}

// wholeDays rounds down, so that what has ended is negative.
func wholeDays(left time.Duration) int {
	return int(math.Floor(left.Hours() / 24))
}

// Left says how long something still lasts.
func (e Entry) Left() string {
	switch {
	case e.Days < 0:
		return "expired"
	case e.Days == 1:
		return "1 day"
	}
	return fmt.Sprintf("%d days", e.Days)
}

// How many days before the end of a certificate, or of a revocation list, a warning begins.
const (
	expirySoon     = 14
	listExpirySoon = 1
)

// Findings warns about what expires soon or has expired.
func Findings(list []Entry) []cli.Finding {
	var found []cli.Finding
	for _, e := range list {
		day := e.NotAfter.Format(time.DateOnly)
		switch {
		case e.Expired():
			found = append(found, cli.Warn(e.advice(), "%s expired on %s", e, day))
		case e.Soon():
			found = append(found, cli.Warn("renew it", "%s expires on %s (%s)", e, day, e.Left()))
		}
	}
	return found
}

// Expired tells whether e is past its end.
func (e Entry) Expired() bool { return e.Days < 0 }

// ExpiredServer tells whether e is the server's own certificate and has expired.
func (e Entry) ExpiredServer() bool {
	return e.Role == tlsconf.RoleServer && !e.Intermediate && e.Expired()
}

// advice says what to do about an expired e, and what it makes fail.
func (e Entry) advice() string {
	switch {
	case e.Intermediate:
		return "replace it with the CA's present intermediate; clients refuse the gate's chain until then"
	case e.Role == tlsconf.RoleServer:
		return "renew it; clients refuse the gate's certificate until then"
	}
	return "renew it; everything it authenticates is refused until then"
}

// AdviceServerFile is about a file with a server's certificate that is not valid now.
const AdviceServerFile = "renew it: a reload refuses it, and a gate that starts with it serves nobody"

// Soon tells whether e wants attention.
func (e Entry) Soon() bool {
	if e.Role == tlsconf.RoleCRL {
		return e.Days < listExpirySoon
	}
	return e.Days < expirySoon
}

// String names what ends.
func (e Entry) String() string {
	return strings.TrimSpace(e.Role + " " + e.Subject)
}
