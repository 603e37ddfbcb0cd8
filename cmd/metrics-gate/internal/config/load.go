package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// Load reads the configuration from environ ("KEY=value" each). All mistakes come
// back at once, joined, each a *ConfigError that names its variable.
func Load(environ []string) (*Config, error) {
	set := gateVariables(environ)
	c := &Config{OIDC: issuers(set)}
	var found cli.ConfigErrors
	if len(set) == 0 {
		found.Add(&cli.ConfigError{Thing: "environment", Wrong: "no " + Prefix + " variable is set",
			Advice: "if they are in a file, export them: (set -a; . ./gate.env; exec metrics-gate); " +
				"check, doctor and print take --env-file gate.env"})
	}
	for _, g := range c.groups() {
		err := env.ParseWithOptions(g.ptr, env.Options{Prefix: g.prefix, Environment: set})
		translate(&found, err, g, set)
	}
	known := map[string]bool{}
	for _, v := range c.Variables() {
		known[v.Name] = true
		v.validate(&found)
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if known[name] {
			continue
		}
		nearest := nearestName(name, known)
		found.Add(unknown(name, nearest))
		if set[nearest] == "" { // that it is missing is the same mistake
			found.Cover(nearest)
		}
	}
	c.InCluster, _ = auth.InClusterURL(lookup(environ, "KUBERNETES_SERVICE_HOST"),
		lookup(environ, "KUBERNETES_SERVICE_PORT"))
	c.validate(&found, set)
	if found.Err() != nil {
		for _, m := range misspelled(environ) {
			found.Add(m)
		}
	}
	return c, found.Err()
}

// JSONErrors tells whether environ asks for errors as JSON. Where LOG_FORMAT is not set the log is
// JSON, but errors are for the person who started the command.
func JSONErrors(environ []string) bool { return lookup(environ, Prefix+"LOG_FORMAT") == "json" }

// lookup returns the last value of a variable, as a process would see it.
func lookup(environ []string, name string) (value string) {
	for _, entry := range environ {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			value = v
		}
	}
	return value
}

// HasVariables tells whether environ configures a gate.
func HasVariables(environ []string) bool { return len(gateVariables(environ)) > 0 }

// gateVariables picks the METRICS_GATE_* variables. What Kubernetes injects for a Service
// whose name begins with metrics-gate is nobody's configuration and left out. Of these only
// _PORT is like a name that a person writes, and it has the value of a URL.
func gateVariables(environ []string) map[string]string {
	serviceLink := regexp.MustCompile(`^` + Prefix + `([A-Z0-9_]+_)?` +
		`(SERVICE_HOST=|SERVICE_PORT(_[A-Z0-9_]+)?=|PORT=(tcp|udp|sctp)://|` +
		`PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?=)`)
	set := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, Prefix) && !serviceLink.MatchString(entry) {
			set[name] = value
		}
	}
	return set
}

// issuers makes an empty issuer for OIDC_ and for each index that is in use, in order.
func issuers(set map[string]string) []Issuer {
	indexed := regexp.MustCompile(`^` + Prefix + `OIDC_([1-9][0-9]?)_`)
	var indexes []int
	for name := range set {
		if m := indexed.FindStringSubmatch(name); m != nil {
			i, _ := strconv.Atoi(m[1])
			indexes = append(indexes, i)
		}
	}
	slices.Sort(indexes)
	list := []Issuer{{Prefix: Prefix + "OIDC_"}}
	for _, i := range slices.Compact(indexes) {
		list = append(list, Issuer{Prefix: fmt.Sprintf("%sOIDC_%d_", Prefix, i)})
	}
	return list
}

// translate turns the parser's errors, which name Go fields, into mistakes that name variables.
func translate(found *cli.ConfigErrors, err error, g group, set map[string]string) {
	var all env.AggregateError
	if err == nil || !errors.As(err, &all) {
		return
	}
	for _, e := range all.Errors {
		var parse env.ParseError
		if !errors.As(e, &parse) {
			found.Add(&cli.ConfigError{Thing: strings.TrimSuffix(g.prefix, "_"), Wrong: e.Error()})
			continue
		}
		field, _ := reflect.TypeOf(g.ptr).Elem().FieldByName(parse.Name)
		name := g.prefix + field.Tag.Get("env")
		found.Add(&cli.ConfigError{
			Thing: name, Value: redact(name, set[name]), Wrong: expected(field.Type, parse.Err),
			Advice: advice(field.Type, parse.Err, set[name]),
		})
	}
}

// expected says what a value of type t looks like; err is the last resort.
func expected(t reflect.Type, err error) string {
	switch t.String() {
	case "bool":
		return "not true or false"
	case "int", "int64":
		return "not a whole number"
	case "float64":
		return "not a number"
	case "time.Duration":
		return "not a duration such as 10s or 2m"
	}
	return err.Error()
}

// redact hides the secrets that the value of a URL variable can hold.
func redact(name, value string) string {
	if strings.HasSuffix(name, "_URL") {
		return cli.HideURL(value)
	}
	return value
}

// advice says what a value of type t looks like; empty if the error does, unless value is like a
// word that it takes.
func advice(t reflect.Type, err error, value string) string {
	if choice, ok := errors.AsType[*choiceError](err); ok {
		return didYouMean(value, choice.words)
	}
	if t.Kind() == reflect.Bool {
		return didYouMean(value, []string{"true", "false"})
	}
	switch t {
	case reflect.TypeFor[auth.Policy]():
		return "metrics-gate help lists the patterns"
	case reflect.TypeFor[ListenAddress]():
		return "write [host]:port, for example :9253 or 192.0.2.1:9253"
	case reflect.TypeFor[AdminAddress]():
		return "write localhost:9254, :9254 (for kubelet probes) or off"
	case reflect.TypeFor[UpstreamAddress]():
		return "write " + nearestUpstream(value)
	}
	return ""
}

// unknown reports a variable that nobody declared, with the nearest one that exists.
func unknown(name, nearest string) *cli.ConfigError {
	m := &cli.ConfigError{Thing: name, Wrong: "unknown variable", Advice: "metrics-gate help lists all variables"}
	if nearest != "" {
		m.Advice = "did you mean " + nearest + "?"
	}
	return m
}

// nearestName is the known variable that name most likely stands for; empty if none is near.
func nearestName(name string, known map[string]bool) string {
	best, nearest := "", len(name)/4
	for _, candidate := range slices.Sorted(maps.Keys(known)) {
		if d := cli.Distance(name, candidate); d <= nearest && (best == "" || d < nearest) {
			best, nearest = candidate, d
		}
	}
	return best
}
