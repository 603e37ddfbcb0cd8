// Package doctor is the command doctor: it looks at the live surroundings of a gate and
// says what to do about each finding.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gate"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/promdoctor"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/settings"
	"github.com/metrics-gate/metrics-gate/proxy"
)

// doctorTimeout bounds each look at something that may not answer.
const doctorTimeout = 3 * time.Second

// doctor looks at the live surroundings of a gate.
type doctor struct {
	settings *settings.Settings
	version  string // of this program
	config   *config.Config
	gate     *gate.Gate         // nil when the configuration does not hold one
	client   client.Credentials // what to try a scrape with
	url      string             // of the gate, for that scrape; empty: found by the configuration
	outside  bool               // no settings are here: see fromOutside
	host     host
	now      func() time.Time

	prometheus promdoctor.Options
}

// host is what doctor sees of the machine; tests put another in its place.
type host struct {
	proc      string   // where /proc is
	uid       int      // of the caller
	toml      []string // where a runner's config.toml may be
	environ   []string // files with the environment of a runner's service
	addresses func() []netip.Addr
}

// doctorReport is what --json prints.
type doctorReport struct {
	OK       bool          `json:"ok"`
	Settings string        `json:"settings"` // whose they are
	Findings []cli.Finding `json:"findings"`
}

// doctorOptions are the flags of doctor.
type doctorOptions struct {
	client   client.Credentials
	url      string
	json     bool
	settings settings.Options

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
			o.settings.RegisterFlags(set)
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
	d := &doctor{
		version: p.Build.Version, client: o.client,
		host: thisHost(p.Environ), now: time.Now, prometheus: o.prometheus,
	}
	if err := o.find(ctx, d, p.Environ); err != nil {
		if !o.json {
			return err
		}
		return errors.Join(
			cli.WriteJSON(p.Stdout, doctorReport{Findings: cli.ErrorFindings(err, "")}),
			cli.Reported(err),
		)
	}
	from := d.settings
	all, err := d.examine(ctx)
	if err != nil {
		return err
	}
	report := doctorReport{OK: cli.Worst(all) != cli.LevelFail, Settings: from.Whose, Findings: all}
	if o.json {
		if err := cli.WriteJSON(p.Stdout, report); err != nil {
			return err
		}
	} else {
		if err := from.Print(p.Stdout, ""); err != nil {
			return err
		}
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

// find gives d the URL and the settings. A gate of another machine has none here, unless they are
// named: those of a gate of this machine are not its own.
func (o *doctorOptions) find(ctx context.Context, d *doctor, environ []string) error {
	if o.url == "" {
		from, err := o.settings.Find(ctx, environ)
		d.settings = from
		return err
	}
	u, err := client.GateURL("doctor --url", o.url)
	if err != nil {
		return err
	}
	d.url, o.settings.Port = u.String(), u.Port()
	if o.settings.Given() || config.HasVariables(environ) || d.host.isHere(ctx, u.Hostname()) {
		if d.settings, err = o.settings.Find(ctx, environ); err != nil {
			return err
		}
	}
	if d.settings == nil || !(o.settings.Given() || config.HasVariables(d.settings.Environ)) {
		d.outside = true
		d.settings = &settings.Settings{Whose: "no gate here: what " + u.Host + " shows from outside"}
	}
	return nil
}

// examine looks at everything, whatever it found before. The caller may be root: it looks at
// what only root sees, and uses the caller's files. The gate's user does the rest: reads the
// gate's files, and asks the runner, to which a firewall may let nobody else.
func (d *doctor) examine(ctx context.Context) ([]cli.Finding, error) {
	if d.outside {
		return d.fromOutside(ctx), nil
	}
	d.config, _ = config.Load(d.settings.Environ) // configuration reports the mistakes
	d.bound()
	host := slices.Concat(d.sockets(), d.firewall(ctx), d.runnerConfig())
	running, visit, prometheus := d.running(ctx), d.visit(ctx), d.askPrometheus(ctx)
	if err := d.settings.Become(); err != nil {
		return nil, err
	}
	own := slices.Concat(d.settings.Findings, d.configuration(), d.files(), d.label(), d.runner(ctx), d.exposure(ctx),
		host, d.issuers(ctx), d.apiServer())
	return slices.Concat(own, notSaid(running, own), d.scraped(visit), prometheus), nil
}

// configuration loads the environment and its files as serve would.
func (d *doctor) configuration() []cli.Finding {
	c, err := config.Load(d.settings.Environ)
	d.config = c
	var found []cli.Finding
	if err == nil {
		var warned cli.Warnings
		d.gate, err = gate.New(c, slog.New(&warned), d.version, prometheus.NewRegistry())
		found = append(found, warned.List...)
	} else {
		err = gate.WithFiles(c, err)
	}
	if err != nil {
		err = d.settings.OfAnotherUser(err)
		found = append(found, cli.ErrorFindings(err, "correct it: metrics-gate help explains each variable")...)
		d.bound()
		return found
	}
	d.bound()
	found = append(append(found, c.Lint()...), config.Misspelled(d.settings.Environ)...)
	if len(found) == 0 {
		found = append(found, cli.OK("configuration: loads, and every pattern can match"))
	}
	return found
}

// bound gives a configuration the limits that looking around needs: one that does not load may lack
// them, and a running gate's may be larger than a command should wait or read.
func (d *doctor) bound() {
	u := &d.config.Upstream
	if u.Timeout <= 0 {
		u.Timeout = doctorTimeout
	}
	if u.MaxBytes <= 0 {
		u.MaxBytes = 64 << 20
	}
	u.Timeout, u.MaxBytes = min(u.Timeout, time.Minute), min(u.MaxBytes, 256<<20)
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
func (d *doctor) userAgent() string { return "metrics-gate/" + d.version + proxy.DoctorAgent }
