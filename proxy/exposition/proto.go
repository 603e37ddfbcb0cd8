package exposition

import (
	"encoding/binary"
	"io"
	"math"
	"unicode/utf8"
)

// Tags of the fields of io.prometheus.client that are written.
const (
	tagPairName    = 1<<3 | wireBytes // LabelPair.name
	tagPairValue   = 2<<3 | wireBytes // LabelPair.value
	tagMetricLabel = 1<<3 | wireBytes // Metric.label
)

// Fields of MetricFamily that are looked at.
const (
	familyName   = 1
	familyType   = 3
	familyMetric = 4
	lastType     = 5 // the highest MetricType, GAUGE_HISTOGRAM
)

// protoState is what a Reader of protobuf keeps.
type protoState struct {
	resolver resolver
	metric   metric
	until    int // end of the family that is being written; from pos it is not
}

// messages labels families until a chunk is full or the input ends. A family
// is measured, and checked, before its first byte is written, so nothing larger
// than a metric is held beside the input.
func (r *Reader) messages() error {
	for len(r.out) < chunkBytes {
		if r.pos < r.proto.until {
			r.writeFamily()
			continue
		}
		err := r.message()
		if err == nil {
			continue
		}
		if err != errShort {
			return err
		}
		if err := r.fill(); err == io.EOF {
			return r.endMessages()
		} else if err != nil {
			return err
		}
		r.proto.until = 0
	}
	return nil
}

func (r *Reader) endMessages() error {
	switch {
	case r.read == 0:
		return ErrEmpty
	case r.pos < r.end:
		return ErrTruncated
	}
	return io.EOF
}

// message takes the length of the next family, measures the family, and writes
// its new length.
func (r *Reader) message() error {
	b := r.in[r.pos:r.end]
	size, n := uvarint(b[:min(len(b), binary.MaxVarintLen32)], 0)
	switch {
	case n == 0 && len(b) < binary.MaxVarintLen32:
		return errShort
	case n == 0:
		return r.syntax(0, "message length overflows")
	case size > uint64(r.limits.LineBytes):
		return ErrTooLong
	case size > uint64(len(b)-n):
		return errShort
	}
	start := r.pos + n
	end := start + int(size)
	grown, what := r.measure(r.in[:end], start)
	if what != "" {
		return r.syntax(0, what)
	}
	if grown == 0 {
		r.out = append(r.out, b[:n]...)
	} else {
		r.out = binary.AppendUvarint(r.out, size+uint64(grown))
	}
	r.pos, r.proto.until = start, end
	r.line++
	return nil
}

// measure checks the family that b ends with and returns by how much labels
// lengthen it, or what is wrong with it.
func (r *Reader) measure(b []byte, start int) (grown int, what string) {
	const broken = "malformed family"
	fields := schema('F')
	named, metrics := false, 0
	for i := start; i < len(b); {
		f, ok := next(b, i)
		if !ok {
			return 0, broken
		}
		i = f.end
		switch {
		case f.number == familyMetric && f.wire == wireBytes:
			if what := r.proto.metric.read(b[:f.end], f.body, true); what != "" {
				return 0, what
			}
			metrics++
			r.plan(b[:f.end])
			grown += r.proto.metric.growth(f)
		case f.number < len(fields) && !f.is(b, fields[f.number]):
			return 0, broken
		case f.number == familyName:
			named = f.body < f.end
		case f.number == familyType:
			if t, _ := uvarint(b, f.body); t > lastType {
				return 0, "unknown type"
			}
		}
	}
	if metrics > 0 && !named {
		return 0, "no metric name"
	}
	return grown, ""
}

// plan decides what labels do to the metric that has been read.
func (r *Reader) plan(b []byte) (conflicts int) {
	m, v := &r.proto.metric, &r.proto.resolver
	conflicts = v.resolve(r.labels, b, m.spans)
	m.edit(b, r.labels, v)
	return conflicts
}

// writeFamily writes fields of the measured family until a chunk is full.
func (r *Reader) writeFamily() {
	b, m := r.in[:r.proto.until], &r.proto.metric
	from := r.pos
	for r.pos < len(b) && len(r.out)+r.pos-from < chunkBytes {
		f, _ := next(b, r.pos)
		r.pos = f.end
		if f.number != familyMetric {
			continue
		}
		m.read(b[:f.end], f.body, false)
		r.stats.Samples++
		r.stats.Conflicts += int64(r.plan(b[:f.end]))
		if len(m.edits) == 0 {
			continue
		}
		r.out = append(r.out, b[from:f.length]...)
		r.out = binary.AppendUvarint(r.out, uint64(f.end-f.body+m.grown))
		r.out = m.write(r.out, b[:f.end], f.body)
		from = f.end
	}
	r.out = append(r.out, b[from:r.pos]...)
}

// validString reports whether a label may have b: short of what Prometheus
// panics on.
func validString(b []byte) bool {
	return len(b) < maxValueBytes && len(b) <= math.MaxInt32 && utf8.Valid(b)
}
