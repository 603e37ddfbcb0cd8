package exposition

import (
	"fmt"
	"mime"
	"strings"
)

// Media types of the formats.
const (
	typeText        = "text/plain"
	typeOpenMetrics = "application/openmetrics-text"
	typeProtobuf    = "application/vnd.google.protobuf"
	protoFamily     = "io.prometheus.client.MetricFamily"
)

type kind int

const (
	kindText kind = iota
	kindOpenMetrics
	kindProtobuf
)

// Format is an exposition format whose samples can be labelled. The zero value
// is Prometheus text.
type Format struct{ kind kind }

// String returns the media type.
func (f *Format) String() string {
	return [...]string{typeText, typeOpenMetrics, typeProtobuf}[f.kind]
}

// FormatOf returns the format that a Content-Type declares: Prometheus text, OpenMetrics or
// delimited protobuf. As in Prometheus the media type decides, and charset, version and unknown
// parameters are ignored: the body is checked anyway. A declaration that contradicts these formats
// is an error, because such a body cannot be labelled: OpenMetrics 2 and above, a protobuf message
// other than MetricFamily, or an encoding other than delimited.
func FormatOf(contentType string) (*Format, error) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, fmt.Errorf("content type %q: %w", contentType, err)
	}
	switch media {
	case typeText:
		return &Format{kindText}, nil
	case typeOpenMetrics:
		major, _, _ := strings.Cut(params["version"], ".")
		if major == "" || major == "0" || major == "1" {
			return &Format{kindOpenMetrics}, nil
		}
	case typeProtobuf:
		message, encoding := params["proto"], params["encoding"]
		if (message == "" || message == protoFamily) && (encoding == "" || encoding == "delimited") {
			return &Format{kindProtobuf}, nil
		}
	}
	return nil, fmt.Errorf("content type %q: not an exposition that can be labelled", contentType)
}

// negotiable returns the format of a media range of an Accept header. Only exact versions and
// encodings are asked for.
func negotiable(media string, params map[string]string) (kind, bool) {
	version := params["version"]
	switch media {
	case typeText:
		return kindText, version == "" || version == "0.0.4" || version == "1.0.0"
	case typeOpenMetrics:
		return kindOpenMetrics, version == "" || version == "0.0.1" || version == "1.0.0"
	case typeProtobuf:
		return kindProtobuf, params["proto"] == protoFamily && params["encoding"] == "delimited"
	}
	return 0, false
}
