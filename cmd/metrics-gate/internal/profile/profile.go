// Package profile is the command pprof: the client that fetches a profile through a gate.
package profile

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// progressInterval is the time between two lines about a long profile.
const progressInterval = 5 * time.Second

// pprofOptions are the flags of pprof.
type pprofOptions struct {
	credentials client.Credentials
	output      string
	serve       bool
}

// Command declares pprof.
func Command() cli.Command {
	const example = "https://runner.example:9253/debug/pprof/heap"
	return cli.Command{
		Name: "pprof", Summary: "fetch a profile through the gate",
		Args:    cli.Args{Name: "URL", Advice: "write one, for example " + example},
		Example: "metrics-gate pprof --ca ca.crt --cert tls.crt --key tls.key " + example,
		Setup: func(set *flag.FlagSet) cli.RunFunc {
			var o pprofOptions
			o.credentials.RegisterFlags(set)
			set.StringVar(&o.output, "o", "",
				"`file` to write, - for standard output (default: named after the profile)")
			set.BoolVar(&o.serve, "serve", false, "listen on a loopback port for go tool pprof instead")
			return o.run
		},
	}
}

// run fetches a profile through the gate into a file, or stands on loopback between
// go tool pprof, which can send neither a token nor (as go tool) a certificate, and
// the gate.
func (o *pprofOptions) run(ctx context.Context, p *cli.Process, args []string) error {
	if err := o.credentials.Validate("pprof"); err != nil {
		return err
	}
	target, err := profileURL(args[0])
	if err != nil {
		return err
	}
	transport, err := o.credentials.Transport()
	if err != nil {
		return err
	}
	authorized := client.TokenTransport{RoundTripper: transport, Credentials: &o.credentials}
	if o.serve {
		return serveProfiles(ctx, p, target, authorized)
	}
	client := &http.Client{
		Transport:     authorized,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	name := o.output
	if name == "" {
		name = freeName(profileName(target))
	}
	return saveProfile(ctx, p, client, target, name)
}

// profileURL reads the URL of a profile; one without a path is that of the index.
func profileURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil {
		return nil, &cli.ConfigError{Thing: "pprof", Value: config.RedactURL(raw), Wrong: "not an http or https URL",
			Advice: "write https://HOST:9253/debug/pprof/heap"}
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/debug/pprof/"
	}
	if !strings.HasPrefix(u.Path, "/debug/pprof/") {
		return nil, &cli.ConfigError{Thing: "pprof", Value: raw, Wrong: "not a profile",
			Advice: "profiles are at /debug/pprof/, for example /debug/pprof/heap or /debug/pprof/profile?seconds=10"}
	}
	return u, nil
}

// profileName is the file for a profile.
func profileName(u *url.URL) string {
	name := path.Base(u.Path)
	switch {
	case strings.HasSuffix(u.Path, "/"):
		return "pprof.html"
	case name == "trace":
		return "trace.out"
	case u.Query().Has("debug") || name == "symbol":
		return name + ".txt"
	}
	return name + ".pb.gz"
}

// saveProfile writes the profile to name ("-" is standard output). Nothing is left
// under that name unless it came whole.
func saveProfile(ctx context.Context, p *cli.Process, client *http.Client, target *url.URL, name string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", "metrics-gate/"+p.Build.Version)
	progress := startProgress(p.Stderr, progressInterval)
	response, err := client.Do(request)
	if err != nil {
		progress.stop("")
		return fmt.Errorf("pprof: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		progress.stop("")
		return fmt.Errorf("pprof %s: %s%s", target.Redacted(), response.Status, profileAdvice(response))
	}
	if name == "-" {
		_, err = io.Copy(p.Stdout, progress.count(response.Body))
		progress.stop("")
		return err
	}
	if err := writeWhole(name, progress.count(response.Body)); err != nil {
		progress.stop("")
		return fmt.Errorf("pprof: %w", err)
	}
	progress.stop(fmt.Sprintf("%s: %d bytes in %s", name, progress.bytes.Load(),
		cli.HumanDuration(time.Since(progress.began))))
	return nil
}

// profileAdvice says what a refusal means.
func profileAdvice(r *http.Response) string {
	switch r.StatusCode {
	case http.StatusUnauthorized:
		return " (the gate does not know these credentials)"
	case http.StatusForbidden:
		return " (not in " + config.Prefix + "PPROF_ALLOW; the gate's log names the pattern to add)"
	case http.StatusServiceUnavailable:
		return " (another profile is running; try again in " + r.Header.Get("Retry-After") + " s)"
	}
	return ""
}

// writeWhole writes src to a new file and removes it unless all of src came. It never
// overwrites a file.
func writeWhole(name string, src io.Reader) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, src)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// freeName is name, or the first name.002, name.003, … that is not taken; the number stands
// before the extension, as in heap.002.pb.gz.
func freeName(name string) string {
	base, extension, _ := strings.Cut(name, ".")
	for n := 2; ; n++ {
		if _, err := os.Lstat(name); err != nil {
			return name
		}
		name = fmt.Sprintf("%s.%03d.%s", base, n, extension)
	}
}
