// Package profile is the command pprof: the client that fetches a profile through a gate.
package profile

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
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
	url         string
	output      string
	serve       bool
}

// Command declares pprof.
func Command() cli.Command {
	return cli.Command{
		Name: "pprof", Summary: "fetch a profile through the gate",
		Args:    cli.Args{Name: "URL", Optional: true},
		Example: "metrics-gate pprof --ca ca.crt --cert tls.crt --key tls.key runner.example:9253/debug/pprof/heap",
		Setup: func(set *flag.FlagSet) cli.RunFunc {
			var o pprofOptions
			o.credentials.RegisterFlags(set)
			set.StringVar(&o.url, "url", "", "`URL` or host:port, in place of the argument")
			set.StringVar(&o.output, "o", "", "`file` to write, - for standard output (default: a new file in "+
				"$PPROF_TMPDIR or ~/pprof, with a number)")
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
	target, err := o.target(args)
	if err != nil {
		return err
	}
	settings, _ := config.Load(p.Environ) // of the gate, if it runs here
	o.credentials.Plain = settings.TLS.InsecureHTTP
	if err := o.credentials.CheckPlain(target.String()); err != nil {
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
	if target.Path == "/debug/pprof/" {
		return &cli.ConfigError{Thing: "pprof", Value: cli.HideURL(target.String()), Wrong: "names no profile",
			Advice: "add its name, for example " + cli.HideURL(target.JoinPath("heap").String()) + ", or give --serve"}
	}
	return o.save(ctx, p, client, target)
}

// target is the URL of the profile, from the argument or the flag.
func (o *pprofOptions) target(args []string) (*url.URL, error) {
	const example = "https://runner.example:9253/debug/pprof/heap"
	switch {
	case len(args) == 0 && o.url == "":
		return nil, &cli.ConfigError{
			Thing:  "pprof",
			Wrong:  "URL is missing",
			Advice: "write one, for example " + example,
		}
	case len(args) > 0 && o.url != "":
		return nil, &cli.ConfigError{Thing: "pprof --url", Value: cli.HideURL(o.url),
			Wrong: "given together with " + cli.HideURL(args[0]), Advice: "keep one of them"}
	}
	return profileURL(cmp.Or(append(args, o.url)...))
}

// profileURL reads the URL of a profile; one without a path is that of the index.
func profileURL(raw string) (*url.URL, error) {
	u, err := client.GateURL("pprof", raw)
	if err != nil {
		return nil, err
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/debug/pprof/"
	}
	if !strings.HasPrefix(u.Path, "/debug/pprof/") {
		return nil, &cli.ConfigError{Thing: "pprof", Value: cli.HideURL(raw), Wrong: "not a profile",
			Advice: "profiles are at /debug/pprof/, for example /debug/pprof/heap or /debug/pprof/profile?seconds=10"}
	}
	return u, nil
}

// save writes the profile to o.output ("-" is standard output), or to a new file. It makes the
// file of -o before it asks: a profile takes long. No file is left unless the profile came whole.
func (o *pprofOptions) save(ctx context.Context, p *cli.Process, client *http.Client, target *url.URL) error {
	if o.output == "-" {
		return o.fetch(ctx, p, client, target, func(src io.Reader) (string, error) {
			_, err := io.Copy(p.Stdout, src)
			return "standard output", err
		})
	}
	var file *os.File
	create := func() (err error) {
		if file, err = o.create(p, target); err != nil {
			return &cli.Failure{Err: err, Advice: fileAdvice(err)}
		}
		return nil
	}
	if o.output != "" {
		if err := create(); err != nil {
			return fmt.Errorf("pprof: %w", err)
		}
	}
	err := o.fetch(ctx, p, client, target, func(src io.Reader) (string, error) {
		if file == nil {
			if err := create(); err != nil {
				return "", err
			}
		}
		_, err := io.Copy(file, src)
		return file.Name(), errors.Join(err, file.Close())
	})
	if err != nil && file != nil {
		_ = file.Close() // again, if the profile came
		return errors.Join(err, os.Remove(file.Name()))
	}
	return err
}

// fetch asks for the profile and passes it to write, which returns where it is.
func (o *pprofOptions) fetch(ctx context.Context, p *cli.Process, client *http.Client, target *url.URL,
	write func(io.Reader) (name string, err error)) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", "metrics-gate/"+p.Build.Version)
	progress := startProgress(p.Stderr, progressInterval)
	defer progress.stop("")
	response, err := client.Do(request)
	if err != nil {
		return &cli.Failure{Err: fmt.Errorf("pprof: %w", cli.HideErrorURL(err)),
			Advice: o.credentials.Advice(err)}
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return &cli.Failure{Err: fmt.Errorf("pprof %s: %s", cli.HideURL(target.String()), response.Status),
			Advice: profileAdvice(response)}
	}
	name, err := write(progress.count(response.Body))
	if err != nil {
		return fmt.Errorf("pprof: %w", err)
	}
	if o.output != "-" {
		progress.stop(fmt.Sprintf("%s: %d bytes in %s", name, progress.bytes.Load(),
			cli.HumanDuration(time.Since(progress.began))))
	}
	return nil
}

// profileAdvice says what a refusal means.
func profileAdvice(r *http.Response) string {
	switch r.StatusCode {
	case http.StatusBadRequest:
		if r.TLS == nil {
			return client.AdvicePlain
		}
		return "seconds is a number greater than 0: /debug/pprof/profile?seconds=10"
	case http.StatusUnauthorized:
		return "the gate does not know these credentials: give --cert and --key, or --token-file"
	case http.StatusForbidden:
		return "not in " + config.Prefix + "PPROF_ALLOW: the gate's log names the pattern to add"
	case http.StatusNotFound:
		if client.WhoAnswers(r, nil) != client.AnswerGate {
			return "this is no metrics-gate: correct the address and the port"
		}
		return "no such profile: /debug/pprof/ of the gate lists them, and cmdline needs " + config.Prefix +
			"PPROF_CMDLINE=true"
	case http.StatusServiceUnavailable:
		return "another profile is running: try again in " + r.Header.Get("Retry-After") + " s"
	case http.StatusTooManyRequests:
		return "too many requests: try again in " + r.Header.Get("Retry-After") + " s"
	case http.StatusBadGateway:
		return "the gate gets no profile from its runner: the gate's log line \"profile failed\" says why"
	case http.StatusGatewayTimeout:
		return "the runner does not answer in time: ask for fewer seconds"
	}
	return ""
}
