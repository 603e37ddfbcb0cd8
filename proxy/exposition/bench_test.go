package exposition

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// BenchmarkText and BenchmarkProtobuf compare a Reader with a round trip through expfmt and, for
// text, with the least work on lines: find each newline and copy. The last benchmark of each group
// runs them one after the other, many times, and compares the best time of each, which a busy
// machine disturbs least.
//
// For the body of a runner, gate reads two scrapes by turns, between which the values move that
// move on a runner at work. Then the cache takes most lines. gate-first has other labels each time, so
// that the cache is of no use, and gate-plain uses no shortcuts.
func BenchmarkText(b *testing.B) {
	compare(b, "runner", fixture(b, "runner.txt"), nextText(fixture(b, "runner.txt")), kindText)
	compare(b, "10MB", tenMegabytes(b), nil, kindText)
	compare(b, "groups", groups(100_000), nil, kindText)
}

func BenchmarkProtobuf(b *testing.B) {
	runner := fixture(b, "runner.proto")
	compare(b, "runner", runner, nil, kindProtobuf)
	compare(b, "10MB", bytes.Repeat(runner, 10<<20/len(runner)), nil, kindProtobuf)
}

// groups returns a body of so many samples, like that of e2e/bench: each of many runners has two
// histograms, one of which has a runner_name, and a few single samples.
func groups(samples int) []byte {
	var out bytes.Buffer
	bounds := []string{"0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "60", "+Inf"}
	runners := samples / (2*len(bounds) + 6)
	seed := uint32(19)
	family := func(name, kind, labels string, perRunner func(labels string)) {
		fmt.Fprintf(&out, "# HELP %s Help of it.\n# TYPE %s %s\n", name, name, kind)
		for i := range runners {
			perRunner(fmt.Sprintf(labels, i))
		}
	}
	sample := func(name, labels string) {
		seed = seed*1664525 + 1013904223
		fmt.Fprintf(&out, "%s{%s} %d\n", name, labels, seed>>8%100_000)
	}
	histogram := func(name string) func(string) {
		return func(labels string) {
			for _, le := range bounds {
				sample(name+"_bucket", labels+`,le="`+le+`"`)
			}
			sample(name+"_sum", labels)
			sample(name+"_count", labels)
		}
	}
	const (
		api   = `endpoint="request_job",method="post",runner="t%08d",system_id="r_x2Ab9Zq"`
		named = `runner="t%08[1]d",runner_name="linux-%02[1]d",system_id="r_x2Ab9Zq"`
	)
	for name, labels := range map[string]string{"api_request": api, "job": named} {
		name = "gitlab_runner_" + name + "_duration_seconds"
		family(name, "histogram", labels, histogram(name))
	}
	for _, name := range []string{"gitlab_runner_jobs_total", "gitlab_runner_limit"} {
		family(name, "gauge", named, func(labels string) { sample(name, labels) })
	}
	return out.Bytes()
}

// moves matches the families that change between two scrapes of a runner at work.
var moves = regexp.MustCompile(`^(go_(gc|goroutines|memstats|sched|threads)|process_|promhttp_|` +
	`gitlab_runner_(api_request|job_|jobs|request|worker))`)

// nextText returns the scrape after body: the last digit of each value that moves differs.
func nextText(body []byte) []byte {
	next := bytes.Clone(body)
	for start, end := 0, 0; start < len(next); start = end {
		end = start + bytes.IndexByte(next[start:], '\n') + 1
		if digit := &next[end-2]; moves.Match(next[start:end]) && *digit >= '0' && *digit <= '9' {
			*digit ^= 1
		}
	}
	return next
}

// BenchmarkGigabyte labels a body of 1 GB and reports what a Reader holds after it.
func BenchmarkGigabyte(b *testing.B) {
	for name, k := range map[string]kind{"runner.txt": kindText, "runner.proto": kindProtobuf} {
		b.Run(name, func(b *testing.B) {
			r, labels := new(Reader), gateLabels(b, Exported)
			b.SetBytes(1 << 30)
			b.ReportAllocs()
			for b.Loop() {
				r.Reset(&endless{piece: fixture(b, name), left: 1 << 30}, &Format{k}, labels, Limits{Bytes: 1 << 40})
				if _, err := r.WriteTo(io.Discard); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cap(r.in)+cap(r.out)), "B-held")
		})
	}
}

// contestant is a way to handle a body.
type contestant struct {
	name string
	run  func()
}

// compare runs the contestants on one body, or on it and next by turns.
func compare(b *testing.B, name string, body, next []byte, k kind) {
	one, other, format := gateLabels(b, Exported), gateLabels(b, Exported), &Format{k}
	r, plain, src := new(Reader), &Reader{plain: true}, new(bytes.Reader)
	gate := func(r *Reader, body []byte, l *Labels) {
		src.Reset(body)
		r.Reset(src, format, l, Limits{})
		if _, err := r.WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	all := []contestant{{"expfmt", func() { roundTrip(b, body, format) }}}
	if k == kindText {
		out := make([]byte, 0, chunkBytes+defaultLineBytes)
		all = append(all, contestant{"floor", func() { copyLines(out, body) }})
	}
	readers := []contestant{{"gate", func() { gate(r, body, one) }}}
	if next != nil {
		readers = []contestant{
			{"gate", func() { gate(r, body, one); body, next = next, body }},
			{"gate-first", func() { gate(r, body, one); one, other = other, one }},
			{"gate-plain", func() { gate(plain, body, one) }},
		}
	}
	samples := float64(readAll(b, body, k, one).Samples)
	b.Run(name, func(b *testing.B) {
		for _, c := range append(readers, all...) {
			b.Run(c.name, func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					c.run()
				}
				b.ReportMetric(float64(b.Elapsed())/float64(b.N)/samples, "ns/sample")
			})
		}
		for _, c := range readers {
			b.Run("ratio"+strings.TrimPrefix(c.name, "gate"), func(b *testing.B) {
				reportRatios(b, append([]contestant{c}, all...))
			})
		}
	})
}

// reportRatios runs the contestants one after the other, at most a second each, and reports how the
// best time of the first relates to those of the others.
func reportRatios(b *testing.B, all []contestant) {
	best := make([]time.Duration, len(all))
	spent := make([]time.Duration, len(all))
	for rounds, left := 0, len(all); left > 0 && rounds < 10_000; rounds++ {
		left = len(all)
		for i, c := range all {
			if spent[i] > time.Second {
				left--
				continue
			}
			start := time.Now()
			c.run()
			d := time.Since(start)
			spent[i] += d
			if best[i] == 0 || d < best[i] {
				best[i] = d
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(best[1])/float64(best[0]), "times-faster-than-expfmt")
	if len(best) > 2 {
		b.ReportMetric(float64(best[0])/float64(best[2]), "times-the-floor")
	}
}

// copyLines finds newlines and copies lines: the least that any work on lines costs.
func copyLines(out, body []byte) {
	for len(body) > 0 {
		n := bytes.IndexByte(body, '\n') + 1
		if out = append(out, body[:n]...); len(out) >= chunkBytes {
			out = out[:0]
		}
		body = body[n:]
	}
}

// roundTrip decodes, adds a label to each metric, and encodes.
func roundTrip(b *testing.B, body []byte, f *Format) {
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	if f.kind == kindProtobuf {
		format = expfmt.NewFormat(expfmt.TypeProtoDelim)
	}
	name, value := "runner_name", "gate-build-linux-01"
	dec := expfmt.NewDecoder(bytes.NewReader(body), format)
	enc := expfmt.NewEncoder(io.Discard, format)
	for {
		var family dto.MetricFamily
		if err := dec.Decode(&family); err == io.EOF {
			return
		} else if err != nil {
			b.Fatal(err)
		}
		for _, m := range family.Metric {
			m.Label = append(m.Label, &dto.LabelPair{Name: &name, Value: &value})
		}
		if err := enc.Encode(&family); err != nil {
			b.Fatal(err)
		}
	}
}
