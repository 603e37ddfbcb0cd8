package check

import (
	"bytes"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/configtest"
)

func TestDecide(t *testing.T) {
	c := configtest.Load(t,
		config.Prefix+"METRICS_ALLOW=dns:prometheus.demo,token:prometheus,"+
			"uri:spiffe://demo/ns/*/sa/prometheus,group:ops",
		config.Prefix+"PPROF_ALLOW=user:alice",
		config.Prefix+"OIDC_ISSUER_URL=https://issuer.example", config.Prefix+"OIDC_AUDIENCE=gate")
	for _, test := range []struct {
		as     []string
		path   string
		status int
		rule   string
	}{
		{[]string{"dns:prometheus.demo"}, "/metrics", 200, "dns:prometheus.demo"},
		{[]string{"token:prometheus"}, "/gate/metrics", 200, "token:prometheus"},
		{[]string{"uri:spiffe://demo/ns/monitoring/sa/prometheus"}, "/metrics", 200,
			"uri:spiffe://demo/ns/*/sa/prometheus"},
		{[]string{"uri:spiffe://demo/ns/a/b/sa/prometheus"}, "/metrics", 403, ""},
		{[]string{"user:bob", "group:ops"}, "/metrics", 200, "group:ops"},
		{[]string{"user:bob"}, "/metrics", 403, ""},
		{[]string{"user:alice"}, "/debug/pprof/heap", 200, "user:alice"},
		{[]string{"user:alice"}, "/debug/pprof/cmdline", 404, ""},
		{[]string{"user:alice"}, "/debug/jobs/list", 404, ""},
		{[]string{"dns:prometheus.demo"}, "/debug/pprof/heap", 403, ""},
		{[]string{"dns:prometheus.demo"}, "/nowhere", 404, ""},
		{[]string{"dns:prometheus.demo"}, "/%6detrics", 400, ""},
		{[]string{"dns:prometheus.demo"}, "/debug/../metrics", 400, ""},
		{[]string{"dns:prometheus.demo"}, "/metrics%zz", 400, ""},
		{[]string{"token:nobody"}, "/metrics", 401, ""},
	} {
		d := decide(c, question{names: test.as, path: test.path})
		if d.Status != test.status || d.Rule != test.rule || d.Why == "" {
			t.Errorf("%v %s: %+v, want %d %q", test.as, test.path, d, test.status, test.rule)
		}
	}
}

func TestDecideTellsWhatItDoesNotAsk(t *testing.T) {
	c := configtest.Load(t, config.Prefix+"METRICS_ALLOW=user:system:serviceaccount:monitoring:prometheus",
		config.Prefix+"KUBERNETES_AUTH=tokenreview", config.Prefix+"KUBERNETES_API_URL=https://api.example",
		config.Prefix+"KUBERNETES_AUTHZ=subjectaccessreview")
	d := decide(c, question{names: []string{"user:system:serviceaccount:monitoring:prometheus"}, path: "/metrics"})
	if d.Status != 200 || !strings.Contains(d.Do,
		"the API server is asked whether system:serviceaccount:monitoring:prometheus may get /metrics") {
		t.Errorf("%+v", d)
	}
}

func TestDecisionIsPrintable(t *testing.T) {
	var out bytes.Buffer
	d := &decisionReport{As: []string{"dns:a.example"}, Path: "/\x1b[2J", Status: 404, Why: "no such route"}
	if err := d.print(&out); err != nil || strings.ContainsRune(out.String(), 0x1b) {
		t.Errorf("%q %v", out.String(), err)
	}
}

func TestIdentityOf(t *testing.T) {
	c := configtest.Load(t, config.Prefix+"OIDC_ISSUER_URL=https://issuer.example", config.Prefix+"OIDC_AUDIENCE=gate",
		config.Prefix+"METRICS_ALLOW=dns:a.example,user:b")
	for name, method := range map[string]string{
		"dns:a.example": auth.MethodCertificate, "cn:a": auth.MethodCertificate, "token:prometheus": auth.MethodToken,
		"user:b": auth.MethodOIDC, "group:c": auth.MethodOIDC,
	} {
		id, off, _ := identityOf(c, []string{name})
		if off != "" || id.Method != method || id.Subject != name {
			t.Errorf("%s: %+v %s", name, id, off)
		}
		if strings.HasPrefix(name, "group:") != (len(id.Groups) == 1) ||
			strings.HasPrefix(name, "group:") == (len(id.Names) == 1) {
			t.Errorf("%s: names %v groups %v", name, id.Names, id.Groups)
		}
	}
	if id, off, do := identityOf(c, []string{"token:nobody"}); off == "" || do == "" {
		t.Errorf("%+v", id)
	}
}
