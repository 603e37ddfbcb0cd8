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

// Tags of the fields of MetricFamily that are looked at.
const (
	familyName   = 1<<3 | wireBytes
	familyType   = 3<<3 | wireVarint
	familyMetric = 4<<3 | wireBytes

	lastType = 5 // the highest MetricType, GAUGE_HISTOGRAM
)

// protoState is what a Reader of protobuf keeps.
type protoState struct {
	resolver resolver
	metric   metric
	plans    []plan // of the metrics of the family in hand
	planned  int    // how many of them have been written
	until    int    // end of the family that is being written; from pos it is not
}

// messages labels families until a chunk is full or the input ends. A family
// is measured, and checked, before its first byte is written; what is held of it
// beside the input is a plan of eight bytes for each metric.
func (r *Reader) messages() error {
	for len(r.out) < r.full {
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
