package server_test

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demo"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
)

func TestContractOfAnswers(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"))
	certificate, nobody := f.Client(t, true), f.Client(t, false)
	bearer := []string{"Authorization", "Bearer " + f.Token(t)}
	for _, test := range []struct {
		name, method, target string
		client               *http.Client
		headers              []string
		status               int
	}{
		{"certificate", "GET", "/metrics", certificate, nil, 200},
		{"token", "GET", "/metrics", nobody, bearer, 200},
		{"both", "GET", "/metrics", certificate, bearer, 200},
		{"query is dropped", "GET", "/metrics?name[]=up", certificate, nil, 200},
		{"head", "HEAD", "/metrics", certificate, nil, 200},
		{"own metrics", "GET", "/gate/metrics", certificate, nil, 200},
		{"nobody", "GET", "/metrics", nobody, nil, 401},
		{"nobody, unknown path", "GET", "/nowhere", nobody, nil, 401},
		{"nobody, other method", "DELETE", "/metrics", nobody, nil, 401},
		{"bad token with a good certificate", "GET", "/metrics", certificate,
			[]string{"Authorization", "Bearer mg_wrong"}, 401},
		{"basic", "GET", "/metrics", nobody, []string{"Authorization", "Basic YTpi"}, 401},
		{"two headers", "GET", "/metrics", nobody, append(bearer[:2:2], bearer...), 401},
		{"unknown path", "GET", "/nowhere", certificate, nil, 404},
		{"jobs", "GET", "/debug/jobs/list", certificate, nil, 404},
		{"state", "GET", "/debug/process/state", certificate, nil, 404},
		{"ready", "GET", "/health/ready", certificate, nil, 404},
		{"pprof without the slash", "GET", "/debug/pprof", certificate, nil, 404},
		{"cmdline", "GET", "/debug/pprof/cmdline", certificate, nil, 404},
		{"escaped", "GET", "/%6detrics", certificate, nil, 400},
		{"two slashes", "GET", "//metrics", certificate, nil, 400},
		{"dots", "GET", "/debug/../metrics", certificate, nil, 400},
		{"semicolon", "GET", "/metrics;a=b", certificate, nil, 400},
		{"other method", "POST", "/metrics", certificate, nil, 405},
		{"unknown method, unknown path", "BREW", "/nowhere", certificate, nil, 404},
		{"unknown method", "BREW", "/metrics", certificate, nil, 405},
		{"not allowed to profile", "GET", "/debug/pprof/heap", nobody, bearer, 403},
		{"not allowed to profile, other method", "DELETE", "/debug/pprof/heap", nobody, bearer, 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			response, body := f.Ask(t, test.client, test.method, test.target, test.headers...)
			if response.StatusCode != test.status {
				t.Fatalf("%d, want %d: %s", response.StatusCode, test.status, body)
			}
			if response.Header.Get("X-Content-Type-Options") != "nosniff" ||
				response.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers: %v", response.Header)
			}
			if test.status >= 400 && strings.TrimSpace(body) != http.StatusText(test.status) {
				t.Errorf("body %q is more than the status", body)
			}
			if (test.status == 401) != (response.Header.Get("WWW-Authenticate") == "Bearer") {
				t.Errorf("WWW-Authenticate %q with %d", response.Header.Get("WWW-Authenticate"), test.status)
			}
			if (test.status == 405) != (response.Header.Get("Allow") == "GET, HEAD") {
				t.Errorf("Allow %q with %d", response.Header.Get("Allow"), test.status)
			}
		})
	}
}

func TestEverySampleIsLabelled(t *testing.T) {
	body, err := os.ReadFile("../../../../proxy/exposition/testdata/fixtures/runner.txt")
	if err != nil {
		t.Fatal(err)
	}
	f := gatetest.Start(t, gatetest.Exposes(string(body)))
	_, got := f.Ask(t, f.Client(t, true), "GET", "/metrics")
	in, out := strings.Split(string(body), "\n"), strings.Split(got, "\n")
	if len(in) != len(out) {
		t.Fatalf("%d lines became %d", len(in), len(out))
	}
	samples := 0
	for i, line := range out {
		if line == in[i] && (line == "" || line[0] == '#') {
			continue
		}
		samples++
		without := strings.NewReplacer(`,runner_name="demo-runner"`, "", `{runner_name="demo-runner"}`, "").Replace(
			line)
		without = strings.Replace(without, "exported_runner_name=", "runner_name=", 1)
		if strings.Count(line, `runner_name="demo-runner"`) != 1 || without != in[i] {
			t.Errorf("%s\nbecame %s", in[i], line)
		}
	}
	if samples != 335 {
		t.Errorf("%d samples, want 335", samples)
	}
}

func TestUnknownFormatIsNeverPassedUnlabelled(t *testing.T) {
	f := gatetest.Start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"up":1}`)
	}))
	if response, body := f.Ask(t, f.Client(t, true), "GET", "/metrics"); response.StatusCode != 502 ||
		strings.Contains(body, "up") {
		t.Errorf("%d %s", response.StatusCode, body)
	}
}

func TestRateLimitOfAnIdentity(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"RATE_LIMIT=0.01", config.Prefix+"RATE_BURST=2")
	c := f.Client(t, true)
	for i, want := range []int{200, 200, 429} {
		response, _ := f.Ask(t, c, "GET", "/metrics")
		if response.StatusCode != want || (want == 429) != (response.Header.Get("Retry-After") != "") {
			t.Errorf("request %d: %d, Retry-After %q", i, response.StatusCode, response.Header.Get("Retry-After"))
		}
	}
	if response, _ := f.Ask(t, f.Client(t, false), "GET", "/metrics", "Authorization",
		"Bearer "+f.Token(t)); response.StatusCode != 200 {
		t.Errorf("another identity: %d", response.StatusCode)
	}
}

func TestStrangersLane(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes("up 1\n"), config.Prefix+"FAILURE_RATE_LIMIT=0.01",
		config.Prefix+"FAILURE_BURST=2")
	nobody, known := f.Client(t, false), f.Client(t, true)
	for i, want := range []int{401, 401, 429, 429} {
		response, _ := f.Ask(t, nobody, "GET", "/metrics", "Authorization", "Bearer guess")
		if response.StatusCode != want {
			t.Errorf("guess %d: %d, want %d", i, response.StatusCode, want)
		}
	}
	if response, _ := f.Ask(t, known, "GET", "/metrics"); response.StatusCode != 200 {
		t.Errorf("a certificate from the same address: %d", response.StatusCode)
	}
	if response, _ := f.Ask(t, nobody, "GET", "/metrics", "Authorization",
		"Bearer "+f.Token(t)); response.StatusCode != 200 {
		t.Errorf("a good token from the same address: %d", response.StatusCode)
	}
}

// The contract's methods of pprof: GET alone, and POST on symbol.
func TestProfileMethods(t *testing.T) {
	f := gatetest.Start(t, http.HandlerFunc(demo.ServeProfile))
	c := f.Client(t, true)
	for _, test := range []struct {
		method, target string
		status         int
		allow          string
	}{
		{"GET", "/debug/pprof/", 200, ""}, {"HEAD", "/debug/pprof/", 405, "GET"},
		{"GET", "/debug/pprof/heap", 200, ""}, {"HEAD", "/debug/pprof/heap?debug=1", 405, "GET"},
		{"GET", "/debug/pprof/profile?seconds=0.2", 200, ""}, {"GET", "/debug/pprof/profile?seconds=day", 400, ""},
		{"POST", "/debug/pprof/heap", 405, "GET"},
		{"POST", "/debug/pprof/symbol", 200, ""}, {"GET", "/debug/pprof/symbol?0x10+20", 200, ""},
		{"GET", "/debug/pprof/symbol?main.main", 400, ""}, {"DELETE", "/debug/pprof/symbol", 405, "GET, POST"},
	} {
		response, body := f.Ask(t, c, test.method, test.target)
		if response.StatusCode != test.status || response.Header.Get("Allow") != test.allow {
			t.Errorf("%s %s: %d, Allow %q: %.100s", test.method, test.target, response.StatusCode,
				response.Header.Get("Allow"), body)
		}
	}
}
