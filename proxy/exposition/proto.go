package exposition

import (
	"encoding/binary"
	"io"
)

// Tags of the fields of io.prometheus.client that are written.
const (
	tagPairName    = 1<<3 | wireBytes // LabelPair.name
	tagPairValue   = 2<<3 | wireBytes // LabelPair.value
	tagMetricLabel = 1<<3 | wireBytes // Metric.label
)

// Tags of the fields of MetricFamily that are read.
const (
	familyName   = 1<<3 | wireBytes
	familyHelp   = 2<<3 | wireBytes
	familyType   = 3<<3 | wireVarint
	familyMetric = 4<<3 | wireBytes

	lastType = 5 // the highest MetricType, GAUGE_HISTOGRAM
)

// maxPlans bounds the plans of a family. The metrics after them are read again to be written.
const maxPlans = 1 << 14

// protoState is the part of a Reader that only protobuf needs.
type protoState struct {
	resolver resolver
	metric   metric
	plans    []plan // of the first metrics of the current family
	written  int    // metrics of the family that have been written
	until    int    // end of the current family, of which the bytes from pos on are to be written
}

// labelMessages labels families until a chunk is full or the input ends. A family is checked and
// measured before its first byte is written, because its length comes first. So the
// whole family is in the input buffer, and for each of its first metrics there is a plan.
func (r *Reader) labelMessages() error {
	for len(r.out) < r.full {
		if r.pos < r.proto.until {
			r.writeFamily()
			continue
		}
		err := r.beginFamily()
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
		r.proto.metric.forget()
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

// beginFamily reads the length of the next family, measures the family, and writes its new
// length.
func (r *Reader) beginFamily() error {
	b := r.in[r.pos:r.end]
	size, n := uvarint(b[:min(len(b), binary.MaxVarintLen32)], 0)
	switch {
	case n == 0 && len(b) < binary.MaxVarintLen32:
		return errShort
	case n == 0:
		return r.syntax(0, "message length overflows")
	case size > uint64(r.limits.MessageBytes):
		return ErrTooLong
	case size > uint64(len(b)-n):
		return errShort
	}
	start := r.pos + n
	end := start + int(size)
	r.proto.plans, r.proto.written = r.proto.plans[:0], 0
	grown, what := r.measureFamily(r.in[:end], start)
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
