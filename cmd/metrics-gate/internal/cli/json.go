package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
)

// ErrorReport is a mistake as JSON.
type ErrorReport struct {
	Thing  string   `json:"thing,omitempty"`
	Value  string   `json:"value,omitempty"`
	Wrong  string   `json:"wrong"`
	List   []string `json:"list,omitempty"` // what wrong speaks of
	Advice string   `json:"advice,omitempty"`
}

// ErrorReports takes a joined error apart.
func ErrorReports(err error) []ErrorReport {
	var list []ErrorReport
	for _, e := range split(err) {
		list = append(list, errorReport(e))
	}
	return list
}

// errorReport is one error.
func errorReport(err error) ErrorReport {
	if m, ok := errors.AsType[*ConfigError](err); ok {
		return ErrorReport{m.Thing, HideTokens(HideToken(m.Value)), HideTokens(m.Wrong), m.List, HideTokens(m.Advice)}
	}
	r := ErrorReport{Wrong: oneLine(err.Error())}
	if f, ok := errors.AsType[*Failure](err); ok {
		r.Advice = f.Advice
	}
	return r
}

// ErrorFindings are the errors of err as findings; do is the advice for one without any.
func ErrorFindings(err error, do string) []Finding {
	var found []Finding
	for _, e := range ErrorReports(err) {
		m := &ConfigError{Thing: e.Thing, Value: e.Value, Wrong: e.Wrong}
		if e.Thing == "" {
			m = &ConfigError{Thing: "configuration", Wrong: e.Wrong}
		}
		f := Fail(cmp.Or(e.Advice, do), "%s", m)
		f.List = e.List
		found = append(found, f)
	}
	return found
}

// WriteJSON writes v to w, indented.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
