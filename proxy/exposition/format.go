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

// FormatOf returns the format that a Content-Type declares. Anything but
// Prometheus text (no version, 0.0.4, 1.0.0), OpenMetrics (no version, 0.0.1,
// 1.0.0) and delimited protobuf is an error: what cannot be labelled must not
// pass.
func FormatOf(contentType string) (*Format, error) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, fmt.Errorf("content type %q: %w", contentType, err)
	}
	kind, ok := kindOf(media, params)
	if !ok {
		return nil, fmt.Errorf("content type %q: not an exposition that can be labelled", contentType)
	}
	if c := params["charset"]; c != "" && !strings.EqualFold(c, "utf-8") {
		return nil, fmt.Errorf("content type %q: charset is not utf-8", contentType)
	}
	return &Format{kind}, nil
}

// kindOf returns the format of a media type with parameters, in a Content-Type
// or in an Accept.
func kindOf(media string, params map[string]string) (kind, bool) {
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
