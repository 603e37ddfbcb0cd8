// Package doctor is the command doctor: it looks at the live surroundings of a gate and
// says what to do about each finding.
package doctor

import (
	"cmp"
	"context"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gate"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/promdoctor"
)

// doctorTimeout bounds each look at something that may not answer.
const doctorTimeout = 3 * time.Second

// doctor looks at the live surroundings of a gate.
type doctor struct {
	environ []string
	version string // of this program
	config  *config.Config
	gate    *gate.Gate         // nil when the configuration does not hold one
	client  client.Credentials // what to try a scrape with
	url     string             // of the gate, for that scrape; empty: found by the configuration
	host    host
	now     func() time.Time

	prometheus promdoctor.Options
}

// host is what doctor sees of the machine; tests put another in its place.
type host struct {
	proc      string   // where /proc is
	toml      []string // where a runner's config.toml may be
	environ   []string // files with the environment of a runner's service
	addresses func() []netip.Addr
}

// doctorReport is what --json prints.
type doctorReport struct {
	OK       bool          `json:"ok"`
	Findings []cli.Finding `json:"findings"`
}

// doctorOptions are the flags of doctor.
type doctorOptions struct {
	client client.Credentials
	url    string
	json   bool

	prometheus promdoctor.Options
}

// Command declares doctor.
func Command() cli.Command {
	return cli.Command{
		Name: "doctor", Summary: "look at the live surroundings and say what to do",
		Example: "metrics-gate doctor --ca ca.crt --cert tls.crt --key tls.key",
		Setup: func(set *flag.FlagSet) cli.RunFunc {
			var o doctorOptions
			o.client.RegisterFlags(set)
			set.StringVar(&o.url, "url", "", "`URL` or host:port of the gate to try (default: the one on this machine)")
			set.BoolVar(&o.json, "json", false, "print JSON")
			o.prometheus.RegisterFlags(set)
			return o.run
		},
	}
}

// run looks around, prints a line a finding, and exits 1 if one of them is a failure.
func (o *doctorOptions) run(ctx context.Context, p *cli.Process, _ []string) error {
	if err := o.client.Validate("doctor"); err != nil {
		return err
	}
	if err := o.prometheus.Validate(); err != nil {
		return err
	}
	if o.url != "" {
		u, err := client.GateURL("doctor --url", o.url)
		if err != nil {
			return err
		}
		o.url = u.String()
	}
	d := &doctor{
		environ: p.Environ, version: p.Build.Version, client: o.client, url: o.url,
		host: thisHost(p.Environ), now: time.Now, prometheus: o.prometheus,
	}
	all := d.examine(ctx)
	report := doctorReport{OK: cli.Worst(all) != cli.LevelFail, Findings: all}
	if o.json {
		if err := cli.WriteJSON(p.Stdout, report); err != nil {
			return err
		}
	} else {
		for _, f := range all {
			if err := f.Print(p.Stdout); err != nil {
				return err
			}
		}
	}
	if !report.OK {
		return cli.ExitCode(1)
	}
	return nil
}

// examine looks at everything, whatever it found before.
func (d *doctor) examine(ctx context.Context) []cli.Finding {
	var all []cli.Finding
	all = append(all, d.configuration()...)
	all = append(all, d.files()...)
	all = append(all, d.label()...)
	all = append(all, d.runner(ctx)...)
	all = append(all, d.exposure(ctx)...)
	all = append(all, d.sockets()...)
	all = append(all, d.runnerConfig()...)
	all = append(all, d.issuers(ctx)...)
	all = append(all, d.apiServer()...)
	all = append(all, d.running(ctx)...)
	all = append(all, d.scrape(ctx)...)
	return append(all, d.askPrometheus(ctx)...)
}

// configuration loads the environment and its files as serve would.
func (d *doctor) configuration() []cli.Finding {
	c, err := config.Load(d.environ)
	d.config = c
	var found []cli.Finding
	if err == nil {
		var warned cli.Warnings
		d.gate, err = gate.New(c, slog.New(&warned), d.version, prometheus.NewRegistry())
		found = append(found, warned.List...)
	}
	if err != nil {
		for _, e := range cli.ErrorReports(err) {
			m := &cli.ConfigError{Thing: e.Thing, Value: e.Value, Wrong: e.Wrong}
			if e.Thing == "" {
				m = &cli.ConfigError{Thing: "configuration", Wrong: e.Wrong}
			}
			found = append(found, cli.Fail(cmp.Or(e.Advice, "correct it: metrics-gate help explains each variable"),
				"%s", m))
		}
		d.bound()
		return found
	}
	found = append(found, c.Lint()...)
	if len(found) == 0 {
		found = append(found, cli.OK("configuration: loads, and every pattern can match"))
	}
	return found
}

// bound gives a configuration that does not load the limits that looking around needs.
func (d *doctor) bound() {
	u := &d.config.Upstream
	if u.Timeout <= 0 {
		u.Timeout = doctorTimeout
	}
	if u.MaxBytes <= 0 {
		u.MaxBytes = 64 << 20
	}
	if u.MaxLineBytes <= 0 {
		u.MaxLineBytes = u.MaxBytes
	}
}

// upstream is the runner's address, host:port.
func (d *doctor) upstream() string {
	return cmp.Or(d.config.Upstream.URL.Address.String(), "127.0.0.1:9252")
}

// runnerPort is the port of the runner's listener.
func (d *doctor) runnerPort() string {
	_, port, err := net.SplitHostPort(d.upstream())
	if err != nil {
		return "9252"
	}
	return port
}

// fetch gets url as doctor, at most limit bytes of it.
func (d *doctor) fetch(ctx context.Context, by *http.Client, url string, limit int64) (*http.Response, []byte, error) {
	return client.Fetch(ctx, by, client.Request{URL: url, UserAgent: d.userAgent(), Limit: limit})
}

// userAgent is doctor's in every request.
func (d *doctor) userAgent() string { return "metrics-gate/" + d.version + " (doctor)" }
