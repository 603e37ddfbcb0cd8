package scrape

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
)

// versionFamily is the runner's version metric as a protobuf message.
func versionFamily(t *testing.T, version string) string {
	t.Helper()
	pair := func(name, value string) *dto.LabelPair {
		return &dto.LabelPair{Name: proto.String(name), Value: proto.String(value)}
	}
	var b strings.Builder
	_, err := protodelim.MarshalTo(&b, &dto.MetricFamily{
		Name: proto.String(versionMetric), Help: proto.String("A constant."), Type: dto.MetricType_GAUGE.Enum(),
		Metric: []*dto.Metric{{Label: []*dto.LabelPair{pair("go_version", "go1.26"), pair("version", version)},
			Gauge: &dto.Gauge{Value: proto.Float64(1)}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestVersionIn(t *testing.T) {
	runner, err := os.ReadFile("testdata/runner.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ body, want string }{
		"runner":       {string(runner), "19.3.0"},
		"first label":  {versionMetric + `{version="1.2",x="y"} 1` + "\n", "1.2"},
		"other labels": {versionMetric + `{go_version="1.2"} 1` + "\n", ""},
		"no labels":    {versionMetric + " 1\n", ""},
		"other metric": {`up{version="1.2"} 1` + "\n", ""},
		"longer name":  {versionMetric + `_total{version="1.2"} 1` + "\n", ""},
		"cut":          {versionMetric + `{version="1.`, ""},
		"protobuf":     {versionFamily(t, "17.0.1"), "17.0.1"},
		"protobuf cut": {versionFamily(t, "17.0.1")[:85], ""},
		"long":         {versionFamily(t, strings.Repeat("x", 200)), ""},
	} {
		if got := versionIn([]byte(test.body)); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// The sample is found wherever the border of two pieces is.
func TestVersionOverBorders(t *testing.T) {
	for format, sample := range map[string]string{
		"text": versionMetric + `{version="1.2"} 1` + "\n", "protobuf": versionFamily(t, "1.2"),
	} {
		body := strings.Repeat("a 1\n", 400) + sample + strings.Repeat("b 1\n", 400)
		for at := range body {
			var v versionFinder
			if first := v.look([]byte(body[:at])); first == "" {
				first = v.look([]byte(body[at:]))
				if first != "1.2" {
					t.Fatalf("%s: cut at %d of %d: %q", format, at, len(body), first)
				}
			}
		}
	}
}

func TestVersionIsDueOnceAMinute(t *testing.T) {
	var c versionClock
	start := time.Unix(1_800_000_000, 0)
	for _, test := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {0, false}, {versionEvery - 1, false}, {versionEvery, true}, {versionEvery + 1, false}} {
		if got := c.due(start.Add(test.after)); got != test.want {
			t.Errorf("after %s: %v", test.after, got)
		}
	}
}

// A scrape tells the version, whether its answer is small or streams.
func TestScrapeTellsVersion(t *testing.T) {
	filler := strings.Repeat("# filler\n", smallChunks*chunkBytes/9+1)
	for name, before := range map[string]string{"small": "", "large": filler} {
		body := before + fmt.Sprintf("%s{version=%q} 1\n", versionMetric, "18."+name)
		r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, body)))
		g := newGate(t, r.Addr())
		if got := g.observer.Upstream().Version; got != "" {
			t.Errorf("%s: %q before any scrape", name, got)
		}
		if answer := g.fetch(t.Context()); answer.Err != nil || g.observer.Upstream().Version != "18."+name {
			t.Errorf("%s: %v %q", name, answer.Err, g.observer.Upstream().Version)
		}
	}
}
