package exposition

import "testing"

func TestFormatOf(t *testing.T) {
	const message = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily"
	for contentType, want := range map[string]string{
		"text/plain": typeText,
		"text/plain; version=0.0.4; charset=utf-8":                            typeText,
		"text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8":      typeText,
		`TEXT/plain;version="1.0.0";charset=UTF-8;escaping=underscores;x=y`:   typeText,
		"text/plain; version=0.0.4; charset=UTF8":                             typeText,
		"text/plain; charset=\"utf8\"":                                        typeText,
		"text/plain; charset=US-ASCII":                                        typeText,
		"text/plain; charset=latin1":                                          typeText,
		"text/plain; version=0.0.3":                                           typeText,
		"text/plain; version=2.0.0; boundary=x":                               typeText,
		"application/openmetrics-text":                                        typeOpenMetrics,
		"application/openmetrics-text; version=0.0.1; charset=utf-8":          typeOpenMetrics,
		"application/openmetrics-text; version=1.0.0; escaping=dots":          typeOpenMetrics,
		"application/openmetrics-text; version=1.0.1; charset=utf8":           typeOpenMetrics,
		message + "; encoding=delimited":                                      typeProtobuf,
		message + "; encoding=delimited; charset=utf-8; escaping=underscores": typeProtobuf,
		message:                           typeProtobuf,
		"application/vnd.google.protobuf": typeProtobuf,
		// refused
		"":                         "",
		"text/html; charset=utf-8": "",
		"application/json":         "",
		"text/plain; version":      "",
		"text/plain, text/plain":   "",
		"text/plain; a=b; a=c":     "",
		"application/openmetrics-text; version=2.0.0":                              "",
		message + "; encoding=text":                                                "",
		message + "; encoding=compact-text":                                        "",
		"application/vnd.google.protobuf; proto=other.Message; encoding=delimited": "",
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
