package exposition_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/metrics-gate/metrics-gate/proxy/exposition"
)

// stricter returns why the gate refuses a body that Prometheus reads, with the error err, or "" if
// no reason is known. docs/exposition-strictness.md lists the reasons.
func stricter(body []byte, contentType string, err error) string {
	var syntax *exposition.SyntaxError
	switch {
	case errors.Is(err, exposition.ErrEmpty):
		return "zero bytes"
	case contentType == protobuf && !wellFormed(body):
		return "no protobuf"
	case contentType == protobuf:
		return ""
	case bytes.IndexByte(body, 0) >= 0: // TestNULPositions says where it passes
		return "NUL"
	case contentType == text && body[len(body)-1] != '\n':
		return "no newline at the end"
	case contentType == openMetrics && errors.As(err, &syntax) && syntax.What == "misplaced metric name":
		return "metric name after labels"
	}
	return ""
}

// wellFormed reports whether the Go library for protobuf decodes body.
func wellFormed(body []byte) bool {
	for in := bytes.NewReader(body); in.Len() > 0; {
		if protodelim.UnmarshalFrom(in, new(dto.MetricFamily)) != nil {
			return false
		}
	}
	return true
}

// TestMutants judges golden bodies of which a byte or two were changed, added or removed.
func TestMutants(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, verdict := range []string{"good", "bad"} {
		files, err := filepath.Glob(filepath.Join(testdata, verdict, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no %s bodies: %v", verdict, err)
		}
		for _, file := range files {
			body := read(t, file)
			for range 100 {
				judge(t, mutant(random, body), typeOf(t, file))
			}
		}
	}
}

// mutant returns body with one or two bytes changed, added or removed.
func mutant(random *rand.Rand, body []byte) []byte {
	body = bytes.Clone(body)
	for range 1 + random.IntN(2) {
		at := random.IntN(len(body) + 1)
		switch n := random.IntN(3); {
		case n == 0:
			const odd = " \t\n\x00\xff\"\\{}=,#0a1.:é"
			body = append(body[:at], append([]byte{odd[random.IntN(len(odd))]}, body[at:]...)...)
		case at == len(body):
		case n == 1:
			body = append(body[:at], body[at+1:]...)
		default:
			body[at] = byte(random.IntN(256))
		}
	}
	return body
}

// TestNULPositions puts a NUL at each place of a body. It passes at the places marked with ~, and
// at no other.
func TestNULPositions(t *testing.T) {
	for contentType, marked := range map[string]string{
		text: "# HELP m ~h~\\~n~\n# TYPE m gauge\n# free\n#x\n" +
			"m{a=\"~b~\",runner_name=\"~x~\\\\~\", \"q\"=\"~\"} 1 2\n{\"m.x\",a=\"~\\n~\"} 1\nm 3\n",
		openMetrics: "# HELP m_s ~h~\n# TYPE m_s counter\n# UNIT m_s s\n" +
			"m_s_total{a=\"~b~\",runner_name=\"~x~\"} 1 2 # {c=\"~d~\"} 1 2\n{\"m.x\",a=\"~\"} 1\n# EOF\n",
	} {
		body := strings.ReplaceAll(marked, "~", "")
		at, want := 0, map[int]bool{}
		for _, c := range marked {
			if c == '~' {
				want[at] = true
				continue
			}
			at++
		}
		for n := range len(body) + 1 {
			with := body[:n] + "\x00" + body[n:]
			if passed := judge(t, []byte(with), contentType); passed != want[n] {
				t.Errorf("%s, NUL at %d: passed %v, want %v: %q", contentType, n, passed, want[n], with)
			}
		}
	}
}

// TestContentTypes holds FormatOf to Prometheus: it accepts what Prometheus parses, but for
// declarations that contradict the format.
func TestContentTypes(t *testing.T) {
	const message = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily"
	for contentType, stricter := range map[string]bool{
		"text/plain": false, "text/plain; charset=UTF8": false, "text/plain; charset=\"utf-8\"": false,
		"text/plain; charset=latin1": false, "text/plain; version=0.0.4; q=1; x=y": false,
		"text/plain; version=0.0.3": false, "text/plain;charset=us-ascii;": false, "TEXT/PLAIN": false,
		"application/openmetrics-text": false, "application/openmetrics-text; version=1.0.0; charset=utf8": false,
		"application/vnd.google.protobuf": false, message: false, message + "; encoding=delimited": false,
		"": false, "text/html": false, "text": false, "text/plain; version": false, "text/plain; a=b; a=c": false,
		"application/openmetrics-text; version=2.0.0":             true,
		message + "; encoding=text":                               true,
		"application/vnd.google.protobuf; proto=io.other.Message": true,
	} {
		_, err := exposition.FormatOf(contentType)
		p, _ := textparse.New([]byte("\n"), contentType, labels.NewSymbolTable(), textparse.ParserOptions{})
		if parses := p != nil; (err == nil) != (parses && !stricter) {
			t.Errorf("%q: %v, Prometheus parses it: %v", contentType, err, parses)
		}
	}
}
