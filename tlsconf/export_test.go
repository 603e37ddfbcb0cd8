package tlsconf

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"log/slog"
	"net"
	"time"
)

// NewAt is New with another clock.
func NewAt(files Files, log *slog.Logger, now func() time.Time) (*Reloader, error) {
	return newReloader(files, log, now)
}

// SetNow gives r another clock.
func (r *Reloader) SetNow(now func() time.Time) { r.now = now }

// Remembered counts the verdicts of the present snapshot.
func (r *Reloader) Remembered() int {
	vs := &r.current.Load().verdicts
	vs.mu.RLock()
	defer vs.mu.RUnlock()
	return len(vs.entries)
}

const MaxVerdicts = maxVerdicts

// ParsedCerts, ParsedCAs and ParsedLists open the parsers to the fuzzers.
func ParsedCerts(data []byte) (n int, err error) {
	chain, err := parseChain(data)
	return len(chain), err
}

func ParsedCAs(data []byte) (n int, err error) {
	cas, err := parseCAs(data)
	return len(cas), err
}

func ParsedKey(data []byte) error {
	_, err := parseKey(data)
	return err
}

// ParsedScope reads an IssuingDistributionPoint.
func ParsedScope(der []byte) (points []string, covers string, err error) {
	s, err := parseScope(der)
	return s.points, s.String(), err
}

// PointsOf reads a CRLDistributionPoints extension that x509.ParseCertificate need not take.
func PointsOf(der []byte) (uris []string, present bool) {
	return pointsOf(
		&x509.Certificate{Extensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 31}, Value: der}}},
	)
}

func ParsedLists(data []byte) (ders [][]byte, err error) {
	if _, err := parseLists(data, time.Now().AddDate(9, 0, 0)); err != nil {
		return nil, err
	}
	return listsDER(data)
}

// MemoryPipe is the connection of a handshake in memory.
func MemoryPipe() (near, far net.Conn) {
	a, b := make(chan []byte, 1<<10), make(chan []byte, 1<<10)
	return &memoryConn{in: a, out: b}, closingConn{&memoryConn{in: b, out: a}}
}

// closingConn ends the reading of the other side with Close.
type closingConn struct{ *memoryConn }

func (c closingConn) Close() error { close(c.out); return nil }
