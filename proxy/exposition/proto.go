package exposition

// Tags of the fields of io.prometheus.client that are written.
const (
	tagPairName    = 1<<3 | 2 // LabelPair.name
	tagPairValue   = 2<<3 | 2 // LabelPair.value
	tagMetricLabel = 1<<3 | 2 // Metric.label
)

type protoState struct{}

func (r *Reader) messages() error { return ErrTruncated }
