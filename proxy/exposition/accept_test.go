package exposition

import "testing"

func TestAccept(t *testing.T) {
	const (
		message = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily"
		proto   = message + ";encoding=delimited"
		om      = "application/openmetrics-text"
		text    = "text/plain;version=0.0.4"
		// What Prometheus sends, without its wildcard.
		prometheus = om + ";version=1.0.0;escaping=allow-utf-8;q=0.6," + om + ";version=0.0.1;q=0.5," +
			"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4," + text + ";q=0.3"
	)
	for _, c := range []struct{ name, want, header string }{
		{"empty", text, ""},
		{"prometheus", prometheus, prometheus + ",*/*;q=0.2"},
		{"native histograms", proto + ";q=0.7," + text + ";q=0.3", proto + ";q=0.7," + text + ";q=0.3,*/*;q=0.2"},
		{"victoriametrics", text, "text/plain;version=0.0.4;q=1,*/*;q=0.1"},
		{"wildcard", text, "*/*"},
		{"wildcard in front", text + ";q=0.9", "*/*;q=0.1," + text + ";q=0.9"},
		{"wildcard stands for text", om + "," + text + ";q=0.1", "*/*;q=0.1," + om},
		{"text wildcard", text, "text/*;q=0.5"},
		{"browser", text, "text/html,application/xml;q=0.9,*/*;q=0.8"},
		{"protobuf as text", text, message + ";encoding=text"},
		{"compact protobuf", text, message + ";encoding=compact-text;q=0.9"},
		{"bare protobuf", text, "application/vnd.google.protobuf"},
		{"openmetrics 2", om, om + ";version=2.0.0," + om},
		{"unknown text", text, "text/plain;version=0.0.3,application/json"},
		{"spelling", prometheus, "Application/OpenMetrics-Text ; Version=\"1.0.0\" ;q=0.60; escaping=allow-utf-8 ,, " +
			om + ";q=0.500;version=0.0.1;charset=utf-8," +
			"text/plain;q=0.4;x=\"a,b\\\"c\";escaping=allow-utf-8;version=1.0.0," + text + ";q=0.3"},
		{"twice", om + ";q=0.2", om + ";q=0.2," + om + ";q=0.9"},
		{"escaping", text + ";escaping=values", text + ";escaping=values"},
		{"unknown escaping", text, text + ";escaping=rot13"},
		{"not wanted", om, text + ";q=0,*/*;q=0," + om},
		{"bad weights", om, text + ";q=x," + text + ";q=2," + text + ";q=-1," + text + ";q=NaN," + om},
		{"fine weight", om + ";q=0.333", om + ";q=0.33333"},
		{"malformed", text, "text/plain;version,;;,=,\"" + om},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Accept([]string{c.header}); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := Accept([]string{c.want}); got != c.want {
				t.Errorf("not stable: %s", got)
			}
		})
	}
	if got := Accept(nil); got != text {
		t.Errorf("no header: %s", got)
	}
	if got := Accept([]string{om, text + ";q=0.1"}); got != om+","+text+";q=0.1" {
		t.Errorf("two headers: %s", got)
	}
}
