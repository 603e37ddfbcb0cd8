package exposition

import (
	"bytes"
	"io"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// BenchmarkText and BenchmarkProtobuf measure a Reader beside the floor, which
// does no more than find newlines and copy, and beside a round trip through
// expfmt. The last of each group prints how they compare in this very run.
func BenchmarkText(b *testing.B) {
	runner := fixture(b, "runner.txt")
	compare(b, "runner", runner, kindText)
	compare(b, "10MB", tenMegabytes(b), kindText)
}

func BenchmarkProtobuf(b *testing.B) {
	runner := fixture(b, "runner.proto")
	compare(b, "runner", runner, kindProtobuf)
	compare(b, "10MB", bytes.Repeat(runner, 10<<20/len(runner)), kindProtobuf)
}

// compare runs the contestants on one body.
func compare(b *testing.B, name string, body []byte, k kind) {
	var gate, bottom, round time.Duration
	b.Helper()
	samples := float64(readAll(b, body, k, gateLabels(b, Exported)).Samples)
	measure := func(b *testing.B, name string, result *time.Duration, run func()) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				run()
			}
			*result = b.Elapsed() / time.Duration(b.N)
			b.ReportMetric(float64(*result)/samples, "ns/sample")
		})
	}
	b.Run(name, func(b *testing.B) {
		labels, format := gateLabels(b, Exported), &Format{k}
		r, src := new(Reader), new(bytes.Reader)
		measure(b, "gate", &gate, func() {
			src.Reset(body)
			r.Reset(src, format, labels, Limits{})
			if _, err := r.WriteTo(io.Discard); err != nil {
				b.Fatal(err)
			}
		})
		if k == kindText {
			out := make([]byte, 0, chunkBytes+defaultLineBytes)
			measure(b, "floor", &bottom, func() { copyLines(out, body) })
		}
		measure(b, "expfmt", &round, func() { roundTrip(b, body, format) })
		b.Run("ratio", func(b *testing.B) {
			b.ReportMetric(0, "ns/op")
			if gate > 0 {
				b.ReportMetric(float64(bottom)/float64(gate), "of-floor")
				b.ReportMetric(float64(gate)/float64(max(bottom, 1)), "x-floor")
				b.ReportMetric(float64(round)/float64(gate), "x-faster-than-expfmt")
			}
		})
	})
}

// copyLines is the floor: what any work on lines costs at least.
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
