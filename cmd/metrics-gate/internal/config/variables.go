package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// Variable is one METRICS_GATE_* variable as config declares it, with its present value.
type Variable struct {
	Name    string // with the prefix
	Default string // as it is printed; empty if there is none
	Type    string // what it may be, such as "duration" or "on or off"
	Read    string // when the file is read again: "reload", "use" or "" if it is no file
	Doc     string
	OneOf   []string
	ZeroOK  bool
	Value   reflect.Value
}

// Variables lists every variable of c, in the order of the declaration.
func (c *Config) Variables() []Variable {
	var list []Variable
	explained := docs()
	for _, g := range c.groups() {
		v := reflect.ValueOf(g.ptr).Elem()
		for i := range v.NumField() {
			tag := v.Type().Field(i).Tag
			if tag.Get("env") == "" {
				continue
			}
			list = append(list, Variable{
				Name:    g.prefix + tag.Get("env"),
				Default: tag.Get("envDefault") + tag.Get("default"),
				Type:    typeOf(v.Field(i), tag),
				Read:    tag.Get("read"),
				Doc:     explained[tag.Get("env")],
				OneOf:   strings.Fields(tag.Get("oneof")),
				ZeroOK:  tag.Get("zero") == "ok",
				Value:   v.Field(i),
			})
		}
	}
	return list
}

// typeOf says what a variable may be.
func typeOf(v reflect.Value, tag reflect.StructTag) string {
	if choices := strings.Fields(tag.Get("oneof")); len(choices) > 0 {
		return strings.Join(choices, ", ")
	}
	if tag.Get("read") != "" {
		return "file"
	}
	if strings.HasSuffix(tag.Get("env"), "_URL") {
		return "URL"
	}
	switch v.Interface().(type) {
	case bool:
		return "true, false"
	case OnOff:
		return "on, off"
	case TokenReview:
		return "off, tokenreview"
	case AccessReview:
		return "off, subjectaccessreview"
	case Conflict:
		return "exported, keep, override"
	case TLSVersion:
		return "1.2, 1.3"
	case time.Duration:
		return "duration"
	case ListenAddress, AdminAddress:
		return "address"
	case auth.Policy:
		return "patterns"
	case pairs, auth.RequiredClaims:
		return "name=value, …"
	case []string:
		return "list"
	}
	if v.CanInt() || v.CanFloat() {
		return "number"
	}
	return "text"
}

// validate checks what the declaration alone can tell: numbers are positive, choices are listed.
func (v Variable) validate(found *cli.ConfigErrors) {
	wrong, advice := "", ""
	switch {
	case v.Value.CanInt() && v.Value.Int() < 0,
		v.Value.CanFloat() && !(v.Value.Float() >= 0 && v.Value.Float() < 1e9):
		if wrong = "out of range: must be more than 0"; v.ZeroOK {
			wrong = "out of range: must be 0 or more"
		}
	case !v.ZeroOK && (v.Value.CanInt() || v.Value.CanFloat()) && v.Value.IsZero():
		wrong = "must be more than 0"
	case len(v.OneOf) > 0 && !slices.Contains(v.OneOf, v.Value.String()):
		wrong = errChoice(v.OneOf...).Error()
		advice = didYouMean(v.Value.String(), v.OneOf)
	default:
		return
	}
	found.Add(&cli.ConfigError{Thing: v.Name, Value: v.String(), Wrong: wrong, Advice: advice})
}

// String prints the present value as it would be written in the environment.
func (v Variable) String() string {
	switch x := v.Value.Interface().(type) {
	case time.Duration:
		return x.String()
	case []string:
		return strings.Join(x, ",")
	default:
		return fmt.Sprint(x)
	}
}

// Declared lists the variables of a configuration in which nothing is set.
func Declared() []Variable {
	c := &Config{OIDC: issuers(nil)}
	return c.Variables()
}

// Setting is one variable as it takes effect.
type Setting struct {
	Name    string `json:"variable"`
	Value   string `json:"value"`
	Default bool   `json:"default"`
}

// RouteRights says who may use some routes.
type RouteRights struct {
	Routes   string   `json:"routes"`
	Variable string   `json:"variable"`
	Allow    []string `json:"allow"`
}

// Effective is a variable as it takes effect, defaults that are found out included;
// false for one that is not in use.
func (c *Config) Effective(v Variable) (Setting, bool) {
	s := Setting{Name: v.Name, Value: cli.HideToken(redact(v.Name, v.String())), Default: v.IsDefault()}
	if strings.HasPrefix(v.Name, Prefix+"OIDC_") && !c.Uses(auth.MethodOIDC) {
		return s, false
	}
	if s.Value != "" {
		return s, true
	}
	s.Default = true
	switch strings.TrimPrefix(v.Name, Prefix) {
	case "RUNNER_NAME":
		if c.Label.RunnerNameFile != "" {
			return s, false
		}
		name, err := c.RunnerName()
		s.Value = name
		return s, err == nil
	case "PPROF_ALLOW":
		s.Value = "none"
		return s, true
	}
	return s, false
}

// Rights says who may use which routes.
func (c *Config) Rights() []RouteRights {
	var list []RouteRights
	for _, l := range c.allowLists() {
		list = append(list, RouteRights{l.routes, l.variable, append([]string{}, l.policy.Rules()...)})
	}
	return list
}

// IsDefault tells whether v is what it is when nobody sets it.
func (v Variable) IsDefault() bool {
	if d, ok := v.Value.Interface().(time.Duration); ok {
		def, err := time.ParseDuration(v.Default)
		return err == nil && d == def
	}
	return v.String() == v.Default
}
