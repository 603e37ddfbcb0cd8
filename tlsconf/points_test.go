package tlsconf_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// der is one element around others.
func der(identifier byte, content ...string) string {
	joined := strings.Join(content, "")
	return string([]byte{identifier, byte(len(joined))}) + joined
}

// full is a DistributionPointName, in its tag, of general names.
func full(names ...string) string { return der(0xa0, der(0xa0, names...)) }

func uri(u string) string { return der(0x86, u) }

// flag is a BOOLEAN that is true.
func flag(tag byte) string { return der(0x80|tag, "\xff") }

func TestIssuingDistributionPoint(t *testing.T) {
	directory := der(0xa4, der(0x30))
	for name, tc := range map[string]struct {
		der  string
		want string // what is covered, or what is wrong
		bad  bool
	}{
		"uri":           {der(0x30, full(uri("u"))), `certificates at "u"`, false},
		"uris in order": {der(0x30, full(uri("v"), uri("u"), uri("v"))), `certificates at "u", "v"`, false},
		"users":         {der(0x30, flag(1)), "user certificates", false},
		"users at uri":  {der(0x30, full(uri("u")), flag(1)), `user certificates at "u"`, false},
		"CAs":           {der(0x30, flag(2)), "CA certificates", false},
		"written-out false": {
			der(0x30, full(uri("u")), der(0x81, "\x00"), der(0x84, "\x00")), `certificates at "u"`, false,
		},
		"users, CAs":        {der(0x30, flag(1), flag(2)), "which is none", true},
		"some reasons":      {der(0x30, der(0x83, "\x06\x40")), "only some reasons", true},
		"no reasons":        {der(0x30, full(uri("u")), der(0x83, "\x00")), "only some reasons", true},
		"indirect":          {der(0x30, full(uri("u")), flag(4)), "is an indirect list", true},
		"attributes":        {der(0x30, full(uri("u")), flag(5)), "only attribute certificates", true},
		"empty":             {der(0x30), "is empty", true},
		"directory name":    {der(0x30, full(directory)), "otherwise than by URI", true},
		"uri and directory": {der(0x30, full(uri("u"), directory)), "otherwise than by URI", true},
		"relative name":     {der(0x30, der(0xa0, der(0xa1, der(0x30)))), "otherwise than by URI", true},
		"nothing":           {"", "malformed", true},
		"no sequence":       {der(0x31, flag(1)), "malformed", true},
		"cut off":           {der(0x30, flag(1))[:4], "malformed", true},
		"cut off inside":    {der(0x30, "\x81\x02\xff"), "malformed", true},
		"more after it":     {der(0x30, flag(1)) + der(0x05), "malformed", true},
		"out of order":      {der(0x30, flag(4), flag(1)), "malformed", true},
		"twice":             {der(0x30, flag(1), flag(1)), "malformed", true},
		"unknown field":     {der(0x30, flag(1), flag(6)), "malformed", true},
		"untagged field":    {der(0x30, der(0x01, "\xff")), "malformed", true},
		"odd boolean":       {der(0x30, der(0x84, "\x01")), "malformed", true},
		"long boolean":      {der(0x30, der(0x84, "\x00\x00")), "malformed", true},
		"built boolean":     {der(0x30, der(0xa4, "\x00")), "malformed", true},
		"no name":           {der(0x30, full()), "malformed", true},
		"no choice":         {der(0x30, der(0xa0)), "malformed", true},
		"both choices":      {der(0x30, der(0xa0, der(0xa0, uri("u")), der(0xa1))), "malformed", true},
		"choice is flat":    {der(0x30, der(0xa0, der(0x80, "u"))), "malformed", true},
		"point is flat":     {der(0x30, der(0x80, "u")), "malformed", true},
		"choice unknown":    {der(0x30, der(0xa0, der(0xa2))), "malformed", true},
		"untagged name":     {der(0x30, full(der(0x16, "u"))), "malformed", true},
		"built uri":         {der(0x30, full(der(0xa6, uri("u")))), "malformed", true},
		"name cut off":      {der(0x30, full("\x86\x09u")), "malformed", true},
	} {
		t.Run(name, func(t *testing.T) {
			_, covers, err := tlsconf.ParsedScope([]byte(tc.der))
			if tc.bad && (err == nil || !strings.Contains(err.Error(), tc.want)) ||
				!tc.bad && (err != nil || covers != tc.want) {
				t.Errorf("%s, %v; want %s", covers, err, tc.want)
			}
			s := newFixture(t)
			s.writeCRL(pointed(s.clients, tc.der))
			_, err = tlsconf.New(s.files(tlsconf.Required), slog.New(slog.DiscardHandler))
			if tc.bad != (err != nil) || tc.bad && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("in a list: %v", err)
			}
		})
	}
}

// pointed is a list that bears these IssuingDistributionPoints.
func pointed(ca *testca.CA, points ...string) []byte {
	return testca.Must(ca.CRL(testca.CRLOptions{Edit: func(l *x509.RevocationList) {
		for _, p := range points {
			l.ExtraExtensions = append(
				l.ExtraExtensions,
				pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: []byte(p)},
			)
		}
	}}))
}

func TestTwoIssuingDistributionPoints(t *testing.T) {
	s := newFixture(t)
	s.writeCRL(pointed(s.clients, der(0x30, full(uri("u"))), der(0x30, full(uri("u")))))
	_, err := tlsconf.New(s.files(tlsconf.Required), slog.New(slog.DiscardHandler))
	if err == nil ||
		!strings.Contains(err.Error(), "list 1: of CN=client root: has two issuing distribution points") {
		t.Error(err)
	}
}

func TestPointsOfCertificates(t *testing.T) {
	issuer := der(0xa2, der(0xa4, der(0x30)))
	for name, tc := range map[string]struct {
		der  string
		want []string
	}{
		"one":            {der(0x30, der(0x30, full(uri("u")))), []string{"u"}},
		"two points":     {der(0x30, der(0x30, full(uri("u"))), der(0x30, full(uri("v")))), []string{"u", "v"}},
		"two names":      {der(0x30, der(0x30, full(uri("u"), uri("v")))), []string{"u", "v"}},
		"directory too":  {der(0x30, der(0x30, full(der(0xa4, der(0x30)), uri("u")))), []string{"u"}},
		"relative":       {der(0x30, der(0x30, der(0xa0, der(0xa1, der(0x30))))), nil},
		"some reasons":   {der(0x30, der(0x30, full(uri("u")), der(0x81, "\x06\x40"))), nil},
		"indirect":       {der(0x30, der(0x30, full(uri("u")), issuer)), nil},
		"indirect too":   {der(0x30, der(0x30, full(uri("u")), issuer), der(0x30, full(uri("v")))), []string{"v"}},
		"issuer alone":   {der(0x30, der(0x30, issuer)), nil},
		"no points":      {der(0x30), nil},
		"nothing":        {"", nil},
		"cut off inside": {der(0x30, "\x30\x09u"), nil},
		"no sequence":    {der(0x30, der(0x30, full(uri("u"))), der(0x31)), nil},
		"out of order":   {der(0x30, der(0x30, issuer, full(uri("u")))), nil},
		"malformed name": {der(0x30, der(0x30, full(uri("u"))), der(0x30, full())), nil},
	} {
		got, present := tlsconf.PointsOf([]byte(tc.der))
		if !present || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, %t; want %q", name, got, present, tc.want)
		}
	}
}

// What limits a point of a certificate is not lost on the way through a handshake.
func TestLimitedPointsInTheHandshake(t *testing.T) {
	for name, tc := range map[string]struct {
		points string
		want   error
	}{
		"plain":        {der(0x30, der(0x30, full(uri("u")))), nil},
		"some reasons": {der(0x30, der(0x30, full(uri("u")), der(0x81, "\x06\x40"))), tlsconf.ErrNoList},
		"indirect":     {der(0x30, der(0x30, full(uri("u")), der(0xa2, der(0xa4, der(0x30))))), tlsconf.ErrNoList},
	} {
		s := newFixture(t)
		s.writeCRL(pointed(s.clients, der(0x30, full(uri("u")))))
		leaf := testca.Must(s.clients.Issue(edit(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 31}, Value: []byte(tc.points)}}
		})))
		r := s.reloader(s.files(tlsconf.Required))
		if err := r.Verify(chains(t, leaf, s.clients)); !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
		if err := r.Verify(chains(t, leaf, s.clients)); err != nil &&
			!strings.HasSuffix(
				err.Error(),
				"none covers user certificates at a distribution point that is no plain URI",
			) {
			t.Errorf("%s: %v", name, err)
		}
		if answer, err := ask(s.serve(r), s.config(leaf)); (err == nil) != (tc.want == nil) {
			t.Errorf("%s: in the handshake: %q, %v", name, answer, err)
		}
	}
}
