package config

import (
	"slices"
	"strings"
	"testing"
)

// What Kubernetes injects for a Service whose name begins with metrics-gate is ignored;
// a variable that only looks like it is not.
func TestServiceVariablesAreIgnored(t *testing.T) {
	for _, service := range []string{"", "FOO_", "RUNNER_2_", "PORT_"} {
		for _, suffix := range []string{
			"SERVICE_HOST=10.0.0.1", "SERVICE_PORT=9253", "SERVICE_PORT_METRICS=9253", "SERVICE_PORT_HTTPS_1=9253",
			"PORT=tcp://10.0.0.1:9253", "PORT_9253_TCP=tcp://10.0.0.1:9253", "PORT_9253_TCP_PROTO=tcp",
			"PORT_9253_TCP_PORT=9253", "PORT_9253_TCP_ADDR=10.0.0.1", "PORT_53_UDP=udp://10.0.0.1:53",
			"PORT_53_UDP_ADDR=10.0.0.1", "PORT_7_SCTP=sctp://10.0.0.1:7", "PORT_7_SCTP_ADDR=10.0.0.1",
		} {
			if _, err := Load(good(Prefix + service + suffix)); err != nil {
				t.Errorf("%s%s: %v", service, suffix, err)
			}
		}
	}
	for _, name := range []string{"LISTEN_PORT", "ADMIN_PORT", "PORT"} {
		_, err := Load(good(Prefix + name + "=9253"))
		if got := blamed(t, err); !slices.Equal(got, []string{Prefix + name}) {
			t.Errorf("%s: blamed %q", name, got)
		}
	}
	for _, name := range []string{"SERVICE", "SERVICE_HOSTS", "SERVICE_NAME", "PORTS", "PORT_TCP", "PORT_9253",
		"PORT_9253_TCP_HOST", "PORT_9253_HTTP", "service_HOST_PORT", "XSERVICE_HOST"} {
		_, err := Load(good(Prefix + name + "=x"))
		if got := blamed(t, err); !slices.Equal(got, []string{Prefix + name}) {
			t.Errorf("%s: blamed %q", name, got)
		}
	}
}

// A variable of this configuration never counts as one that Kubernetes injects.
func TestNoVariableIsIgnored(t *testing.T) {
	for _, v := range Declared() {
		if len(gateVariables([]string{v.Name + "=x"})) != 1 {
			t.Errorf("%s is ignored", v.Name)
		}
	}
	if got := gateVariables([]string{"OTHER=x", "METRICS_GATE=x", "XMETRICS_GATE_A=x", "METRICS_GATE_A"}); len(
		got,
	) != 1 {
		t.Errorf("%v", got)
	}
}

// Each variable with one letter lost leads back to itself, or to one as near.
func TestEveryVariableIsSuggested(t *testing.T) {
	known := map[string]bool{}
	for _, v := range Declared() {
		known[v.Name] = true
	}
	for name := range known {
		typo := name[:len(name)-2] + name[len(name)-1:]
		if known[typo] {
			continue
		}
		m := unknown(typo, nearestName(typo, known))
		suggested, ok := strings.CutPrefix(m.Advice, "did you mean ")
		if !ok || !known[strings.TrimSuffix(suggested, "?")] || m.Thing != typo {
			t.Errorf("%s: %s: %s", typo, m.Error(), m.Advice)
		}
	}
	for _, far := range []string{"METRICS_GATE_", "METRICS_GATE_COLOUR_OF_THE_BIKE_SHED", "METRICS_GATE_QQQQQQQQQ"} {
		if got := nearestName(far, known); got != "" {
			t.Errorf("%s: %s", far, got)
		}
	}
}

// The last value of a variable counts, as for a process.
func TestLastValueCounts(t *testing.T) {
	c, err := Load(good("METRICS_GATE_RATE_BURST=1", "METRICS_GATE_RATE_BURST=2",
		"KUBERNETES_SERVICE_HOST=10.0.0.1", "KUBERNETES_SERVICE_HOST=fd00::1", "KUBERNETES_SERVICE_PORT=443"))
	if err != nil || c.Limit.Burst != 2 || c.InCluster != "https://[fd00::1]:443" {
		t.Errorf("%v %+v %s", err, c.Limit, c.InCluster)
	}
}

// Issuers come in the order of their numbers, each with its own prefix and defaults.
func TestIssuersInOrder(t *testing.T) {
	c, err := Load(good(
		"METRICS_GATE_OIDC_10_ISSUER_URL=https://ten.example", "METRICS_GATE_OIDC_10_AUDIENCE=g",
		"METRICS_GATE_OIDC_10_USERNAME_PREFIX=ten:", "METRICS_GATE_OIDC_10_GROUPS_PREFIX=ten:",
		"METRICS_GATE_OIDC_2_ISSUER_URL=https://two.example", "METRICS_GATE_OIDC_2_AUDIENCE=g,h",
		"METRICS_GATE_OIDC_2_USERNAME_PREFIX=two:", "METRICS_GATE_OIDC_2_GROUPS_PREFIX=-"))
	if err != nil {
		t.Fatal(err)
	}
	list := c.Issuers()
	if len(list) != 2 || list[0].URL != "https://two.example" || list[1].URL != "https://ten.example" {
		t.Fatalf("%+v", list)
	}
	if list[0].Prefix != "METRICS_GATE_OIDC_2_" || list[1].Prefix != "METRICS_GATE_OIDC_10_" ||
		!slices.Equal(list[0].Audience, []string{"g", "h"}) || list[1].UsernameClaim != "sub" {
		t.Errorf("%+v %+v", list[0], list[1])
	}
	for _, name := range []string{"OIDC_0_ISSUER_URL", "OIDC_01_ISSUER_URL", "OIDC_100_ISSUER_URL", "OIDC_X_AUDIENCE"} {
		_, err := Load(good(Prefix + name + "=https://id.example"))
		if got := blamed(t, err); !slices.Contains(got, Prefix+name) &&
			!slices.Contains(got, Prefix+"OIDC_ISSUER_URL") {
			t.Errorf("%s: blamed %q", name, got)
		}
	}
}
