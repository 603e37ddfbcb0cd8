package exposition

import "testing"

func TestFormatOf(t *testing.T) {
	for contentType, want := range map[string]string{
		"text/plain": typeText,
		"text/plain; version=0.0.4; charset=utf-8":                                                                           typeText,
		"text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8":                                                     typeText,
		`TEXT/plain;version="1.0.0";charset=UTF-8;escaping=underscores;x=y`:                                                  typeText,
		"application/openmetrics-text":                                                                                       typeOpenMetrics,
		"application/openmetrics-text; version=0.0.1; charset=utf-8":                                                         typeOpenMetrics,
		"application/openmetrics-text; version=1.0.0; escaping=dots":                                                         typeOpenMetrics,
		"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited":                       typeProtobuf,
		"application/vnd.google.protobuf; encoding=delimited; proto=io.prometheus.client.MetricFamily; escaping=underscores": typeProtobuf,
		// refused
		"":                           "",
		"text/html; charset=utf-8":   "",
		"application/json":           "",
		"text/plain; version=0.0.3":  "",
		"text/plain; version=2.0.0":  "",
		"text/plain; charset=latin1": "",
		"text/plain; version":        "",
		"text/plain, text/plain":     "",
		"application/openmetrics-text; version=2.0.0":                                                     "",
		"application/vnd.google.protobuf":                                                                 "",
		"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily":                        "",
		"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=text":         "",
		"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=compact-text": "",
		"application/vnd.google.protobuf; proto=other.Message; encoding=delimited":                        "",
	} {
		f, err := FormatOf(contentType)
		switch {
		case want == "" && err == nil:
			t.Errorf("FormatOf(%q) = %v, want an error", contentType, f)
		case want != "" && (err != nil || f.String() != want):
			t.Errorf("FormatOf(%q) = %v, %v, want %s", contentType, f, err, want)
		}
	}
}
