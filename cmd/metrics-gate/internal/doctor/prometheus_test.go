package doctor

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/promdoctor"
)

func TestDoctorDescribesItsTarget(t *testing.T) {
	for _, test := range []struct {
		listen, url string
		hosts       []string // some of them
		local       int
		port        string
	}{
		{":9253", "", []string{"192.0.2.1", "2001:db8::1"}, 3, "9253"},
		{"192.0.2.9:8443", "", []string{"192.0.2.9"}, 0, "8443"},
		{"127.0.0.1:9253", "", nil, 1, "9253"},
		{":9253", "https://gate.example:443", []string{"gate.example"}, 0, "443"},
	} {
		d := patient(t, config.Prefix+"LISTEN_ADDRESS="+test.listen)
		d.url = test.url
		d.host.addresses = func() []netip.Addr {
			return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1%eth0")}
		}
		g := d.asTarget()
		for _, host := range test.hosts {
			if !slices.Contains(g.Hosts, host) {
				t.Errorf("%s %s: %v lacks %s", test.listen, test.url, g.Hosts, host)
			}
		}
		if len(g.LocalHosts) != test.local || g.Port != test.port || g.RunnerPort != "9" ||
			g.LabelName != "runner_name" || g.RunnerName != "demo-runner" {
			t.Errorf("%s %s: %+v", test.listen, test.url, g)
		}
	}
}

func TestDoctorAsksPrometheus(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	d := patient(t)
	if found := d.askPrometheus(t.Context()); found != nil {
		t.Errorf("without --prometheus: %+v", found)
	}
	d.prometheus = promdoctor.Options{URL: server.URL}
	expect(t, d.askPrometheus(t.Context()), cli.LevelFail, "does not tell its targets: 404")
}
