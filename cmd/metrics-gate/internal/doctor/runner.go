package doctor

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/proxy/exposition"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// runnerVersion finds the version in a runner's exposition.
func runnerVersion(body []byte) string {
	m := regexp.MustCompile(`(?m)^gitlab_runner_version_info\{[^\n]*?\bversion="([^"\n]{1,64})"`).FindSubmatch(body)
	if m == nil {
		return ""
	}
	return string(m[1])
}

// runner asks the runner for its metrics, and looks at them.
func (d *doctor) runner(ctx context.Context) []cli.Finding {
	address := d.upstream()
	start := d.now()
	response, body, err := d.fetch(ctx, client.New(d.config.Upstream.Timeout), "http://"+address+"/metrics",
		d.config.Upstream.MaxBytes)
	took := d.now().Sub(start)
	switch {
	case err != nil && upstream.ReasonOf(err) == upstream.ReasonRefused && d.listening():
		return []cli.Finding{d.keptOut(address)}
	case err != nil && upstream.ReasonOf(err) == upstream.ReasonRefused:
		return []cli.Finding{
			cli.Fail(upstream.ReasonRefused.Advice(address), "runner %s: nothing listens there", address),
		}
	case (client.ClosedPlain(err) || (err == nil && response.StatusCode == http.StatusBadRequest)) &&
		speaksTLS(ctx, address):
		return []cli.Finding{cli.Fail("set "+config.Prefix+"UPSTREAM_URL to the runner's listen_address, which speaks "+
			"plain HTTP", "runner %s: TLS is spoken there: it is a gate, or another server", address)}
	case err != nil:
		return []cli.Finding{cli.Fail("see whether the runner is overloaded, or raise "+config.Prefix+
			"UPSTREAM_TIMEOUT and "+config.Prefix+"UPSTREAM_MAX_BYTES", "runner %s: %v", address, err)}
	case response.StatusCode != http.StatusOK:
		return []cli.Finding{
			cli.Fail(upstream.ReasonStatus.Advice(address), "runner %s: /metrics answers %s", address, response.Status),
		}
	}
	version := runnerVersion(body)
	if version == "" {
		return []cli.Finding{cli.Warn("see what listens there", "runner %s: answers, but not as a gitlab-runner",
			address)}
	}
	found := []cli.Finding{cli.OK("runner %s: answers, version %s, %d bytes in %s", address, version, len(body),
		took.Round(time.Millisecond))}
	return append(append(found, d.bounds(body, took)...), d.conflicts(body)...)
}

// speaksTLS tells whether a server answers a TLS handshake, be it with an alert.
func speaksTLS(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} // nothing is sent
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err == nil {
		_ = conn.Close()
		return true
	}
	_, alert := tlsconf.AlertOf(err)
	return alert
}

// bounds compares a scrape with the limits it has to keep.
func (d *doctor) bounds(body []byte, took time.Duration) []cli.Finding {
	var found []cli.Finding
	u := d.config.Upstream
	if took > u.Timeout/2 {
		found = append(found, cli.Warn("raise "+config.Prefix+
			"UPSTREAM_TIMEOUT, and Prometheus' scrape_timeout with it",
			"limits: a scrape of the runner took %s of the %s it may take", took.Round(time.Millisecond), u.Timeout))
	}
	if int64(len(body)) > u.MaxBytes/2 {
		found = append(found, cli.Warn("raise "+config.Prefix+"UPSTREAM_MAX_BYTES",
			"limits: the exposition has %d of the %d bytes it may have", len(body), u.MaxBytes))
	}
	longest := 0
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, len(body)+1)
	for lines.Scan() {
		longest = max(longest, len(lines.Bytes()))
	}
	if int64(longest) > u.MaxLineBytes/2 {
		found = append(found, cli.Warn("raise "+config.Prefix+"UPSTREAM_MAX_LINE_BYTES",
			"limits: the longest line has %d of the %d bytes it may have", longest, u.MaxLineBytes))
	}
	if len(found) == 0 {
		found = append(found, cli.OK("limits: a scrape is well below timeout and sizes"))
	}
	return found
}

// label says which value every sample gets.
func (d *doctor) label() []cli.Finding {
	c := d.config.Label
	name, err := d.config.RunnerName()
	switch {
	case err != nil: // the configuration says so
		return nil
	case c.RunnerName == "" && c.RunnerNameFile == "":
		return []cli.Finding{cli.Warn("set "+config.Prefix+
			"RUNNER_NAME: a pod's or container's host name changes with it", "label: %s is this host's name, %q",
			c.Name, name)}
	}
	return []cli.Finding{cli.OK("label: every sample gets %s=%q", c.Name, name)}
}

// conflicts says what becomes of samples that already have the injected label.
func (d *doctor) conflicts(body []byte) []cli.Finding {
	c := d.config.Label
	labelled := 0
	own := regexp.MustCompile(`^[^#\n]*[{,]` + regexp.QuoteMeta(c.Name) + `="`)
	exported := bytes.Contains(body, []byte("exported_"+c.Name+`="`))
	for line := range strings.Lines(string(body)) {
		if own.MatchString(line) {
			labelled++
		}
	}
	switch {
	case labelled == 0:
		return nil
	case c.Conflict.Conflict == exposition.Override:
		return []cli.Finding{cli.Warn("use "+config.Prefix+
			"LABEL_CONFLICT=exported: runners that differ in this label alone become duplicate series",
			"label: %d samples of the runner already have %s, and lose it", labelled, c.Name)}
	case c.Conflict.Conflict == exposition.Keep:
		return []cli.Finding{cli.Warn("use "+config.Prefix+
			"LABEL_CONFLICT=exported if all samples shall have the gate's",
			"label: %d samples of the runner already have %s, and keep it", labelled, c.Name)}
	case exported:
		return []cli.Finding{cli.Warn("use another "+config.Prefix+"LABEL_NAME",
			"label: samples of the runner already have both %s and exported_%s", c.Name, c.Name)}
	}
	return []cli.Finding{cli.OK("label: %d samples of the runner already have %s; theirs becomes exported_%s", labelled,
		c.Name, c.Name)}
}
