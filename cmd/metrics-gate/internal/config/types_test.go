package config

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// blamed lists the variables that err names.
func blamed(t *testing.T, err error) (things []string) {
	t.Helper()
	if err == nil {
		return nil
	}
	for _, report := range cli.ErrorReports(err) {
		if report.Thing == "" {
			t.Errorf("no variable is named: %s", report.Wrong)
		}
		things = append(things, report.Thing)
	}
	return things
}

// withIssuer is a good environment in which every variable of an issuer counts.
func withIssuer(more ...string) []string {
	return good(append([]string{"METRICS_GATE_OIDC_ISSUER_URL=https://id.example", "METRICS_GATE_OIDC_AUDIENCE=gate"},
		more...)...)
}

// Every number refuses what is none and what is negative. Zero is for the variables whose
// table says so, and for no other.
func TestNumbersOfEveryVariable(t *testing.T) {
	zeroIsFine := []string{"METRICS_GATE_LINGER", "METRICS_GATE_OIDC_CLOCK_SKEW"}
	numbers := 0
	for _, v := range Declared() {
		values := map[string]bool{"": true} // an empty value is the default
		switch v.Value.Type() {
		case reflect.TypeFor[time.Duration]():
			for _, bad := range []string{"10", "1 s", "ten seconds", "-1s", "1e3s"} {
				values[bad] = false
			}
			values["11s"], values["0s"] = true, slices.Contains(zeroIsFine, v.Name)
		case reflect.TypeFor[int](), reflect.TypeFor[int64]():
			for _, bad := range []string{"many", "1.5", "-1", "0x10", "1_000", "99999999999999999999", "1 "} {
				values[bad] = false
			}
			values["0"] = false
		case reflect.TypeFor[float64]():
			for _, bad := range []string{"fast", "-0.5", "NaN", "Inf", "-Inf", "1e9", "0"} {
				values[bad] = false
			}
			values["0.25"] = true
		default:
			continue
		}
		numbers++
		for value, accepted := range values {
			_, err := Load(withIssuer(v.Name + "=" + value))
			if got := blamed(t, err); accepted != (got == nil) ||
				(!accepted && !slices.Equal(got, []string{v.Name})) {
				t.Errorf("%s=%q: blamed %q, accepted should be %v", v.Name, value, got, accepted)
			}
		}
	}
	if numbers < 20 {
		t.Errorf("only %d variables are numbers", numbers)
	}
}

// Every switch and choice takes its words, in lower case, and names itself for any other.
func TestChoicesOfEveryVariable(t *testing.T) {
	choices := map[string]struct{ good, bad []string }{
		"ACCESS_LOG":      {[]string{"on", "off", ""}, []string{"ON", "true", "1"}},
		"COMPRESSION":     {[]string{"on", "off", ""}, []string{"ON", "true", "gzip", "1"}},
		"LABEL_CONFLICT":  {[]string{"exported", "keep", "override", ""}, []string{"Keep", "drop"}},
		"TLS_MIN_VERSION": {[]string{"1.2", "1.3", ""}, []string{"1.1", "1.4", "TLS1.3", "12"}},
		"LOG_LEVEL": {
			[]string{"debug", "info", "warn", "error", ""},
			[]string{"DEBUG", "trace", "warning"},
		},
		"LOG_FORMAT":            {[]string{"json", "text", ""}, []string{"JSON", "logfmt"}},
		"UPSTREAM_ALLOW_REMOTE": {[]string{"true", "false", ""}, []string{"yes", "on", "2"}},
		"PPROF_CMDLINE":         {[]string{"true", "false", ""}, []string{"yes", "on"}},
		"INSECURE_HTTP":         {[]string{"false", ""}, []string{"yes", "no", "-1"}},
		"KUBERNETES_AUTH":       {[]string{"off", "tokenreview", ""}, []string{"on", "TokenReview"}},
		"KUBERNETES_AUTHZ":      {[]string{"off", "subjectaccessreview", ""}, []string{"on", "tokenreview"}},
	}
	for name, words := range choices {
		for _, word := range words.good {
			environ := good("METRICS_GATE_KUBERNETES_API_URL=https://api.example", Prefix+name+"="+word)
			if _, err := Load(environ); err != nil {
				t.Errorf("%s=%q: %v", name, word, err)
			}
		}
		for _, word := range words.bad {
			_, err := Load(good(Prefix + name + "=" + word))
			if got := blamed(t, err); !slices.Equal(got, []string{Prefix + name}) {
				t.Errorf("%s=%q: blamed %q", name, word, got)
			}
		}
	}
	for _, v := range Declared() {
		_, listed := choices[strings.TrimPrefix(v.Name, Prefix)]
		if kind := v.Value.Kind(); !listed && (kind == reflect.Bool || len(v.OneOf) > 0) {
			t.Errorf("%s: a choice without a test", v.Name)
		}
	}
}

// What a typed value prints is what it was read from.
func TestValuesPrintAsTheyAreWritten(t *testing.T) {
	for _, entry := range []string{
		"COMPRESSION=off", "COMPRESSION=on", "LABEL_CONFLICT=keep", "LABEL_CONFLICT=override",
		"TLS_MIN_VERSION=1.2", "TLS_MIN_VERSION=1.3", "KUBERNETES_AUTH=tokenreview",
		"KUBERNETES_AUTHZ=subjectaccessreview", "LABELS=team=ci,zone=a=b", "LABELS=empty=",
		`LABELS=a="b,c",d="say \"x\"",e="f g=h",i="'j'",k=l m`,
		"METRICS_ALLOW=dns:a.example,token:b", `PPROF_ALLOW="group:CN=ops,OU=Groups",user:a`,
		"LISTEN_ADDRESS=[::1]:9000", "LISTEN_ADDRESS=9000", "ADMIN_ADDRESS=off", "ADMIN_ADDRESS=127.0.0.1:9000",
		"UPSTREAM_URL=127.0.0.1", "UPSTREAM_TIMEOUT=1m30s", "RATE_LIMIT=0.25", "RATE_BURST=7",
		"KUBERNETES_AUDIENCES=a,b", "PPROF_CMDLINE=true",
	} {
		name, value, _ := strings.Cut(entry, "=")
		c, err := Load(good("METRICS_GATE_KUBERNETES_API_URL=https://api.example", Prefix+entry))
		if err != nil {
			t.Errorf("%s: %v", entry, err)
			continue
		}
		for _, v := range c.Variables() {
			if v.Name == Prefix+name && v.String() != value {
				t.Errorf("%s: printed as %q", entry, v.String())
			}
		}
	}
}

// The parser's error of each type says what to write, and not how Go calls the type.
func TestExpectedOfEachType(t *testing.T) {
	fallback := errors.New("its own words")
	for _, test := range []struct {
		of           reflect.Type
		want, advice string
	}{
		{reflect.TypeFor[bool](), "not true or false", ""},
		{reflect.TypeFor[int](), "not a whole number", ""},
		{reflect.TypeFor[int64](), "not a whole number", ""},
		{reflect.TypeFor[float64](), "not a number", ""},
		{reflect.TypeFor[time.Duration](), "not a duration such as 10s or 2m", ""},
		{reflect.TypeFor[ListenAddress](), "its own words", ":9253"},
		{reflect.TypeFor[AdminAddress](), "its own words", "localhost:9254"},
		{reflect.TypeFor[UpstreamAddress](), "its own words", "http://localhost:9252"},
	} {
		if got := expected(test.of, fallback); got != test.want {
			t.Errorf("%s: %q, want %q", test.of, got, test.want)
		}
		if got := advice(test.of, nil, ""); (test.advice == "") != (got == "") || !strings.Contains(got, test.advice) {
			t.Errorf("%s: advice %q, want %q", test.of, got, test.advice)
		}
	}
}

// A word that is near one that a variable takes is named.
func TestChoicesAdviseTheNearestWord(t *testing.T) {
	for entry, want := range map[string]string{
		"LOG_LEVEL=inof": "info", "LOG_LEVEL=wran": "warn", "LOG_LEVEL=eror": "error", "LOG_LEVEL=degub": "debug",
		"LOG_LEVEL=warning": "warn", "LOG_LEVEL=loud": "", "LOG_LEVEL=x": "", "LOG_FORMAT=jsno": "json",
		"LOG_FORMAT=Text": "text", "ACCESS_LOG=of": "off", "ACCESS_LOG=true": "on", "COMPRESSION=n": "off",
		"COMPRESSION=y": "on", "INSECURE_HTTP=n": "false", "INSECURE_HTTP=y": "true", "COMPRESSION=no": "off",
		"COMPRESSION=gzip": "", "LABEL_CONFLICT=overide": "override", "LABEL_CONFLICT=exprot": "exported",
		"LABEL_CONFLICT=drop": "", "TLS_MIN_VERSION=1,3": "1.3", "TLS_MIN_VERSION=1.2.0": "1.2",
		"KUBERNETES_AUTH=tokenreveiw": "tokenreview", "KUBERNETES_AUTH=none": "off",
		"KUBERNETES_AUTHZ=subjectacessreview": "subjectaccessreview", "INSECURE_HTTP=flase": "false",
		"PPROF_CMDLINE=yes": "true", "UPSTREAM_ALLOW_REMOTE=treu": "true", "UPSTREAM_ALLOW_REMOTE=perhaps": "",
	} {
		_, err := Load(good(Prefix + entry))
		if want != "" {
			want = "did you mean " + want + "?"
		}
		if reports := cli.ErrorReports(err); len(reports) != 1 || reports[0].Advice != want {
			t.Errorf("%s: %+v, want %q", entry, reports, want)
		}
	}
}
