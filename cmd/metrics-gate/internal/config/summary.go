package config

import (
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
)

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
	s := Setting{Name: v.Name, Value: RedactURL(v.String()), Default: v.IsDefault()}
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
		list = append(list, RouteRights{l.routes, l.variable, l.policy.Rules()})
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
