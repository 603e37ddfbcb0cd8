package cli

import (
	"encoding/json"
	"errors"
	"io"
)

// ErrorReport is a mistake as JSON.
type ErrorReport struct {
	Thing  string `json:"thing,omitempty"`
	Value  string `json:"value,omitempty"`
	Wrong  string `json:"wrong"`
	Advice string `json:"advice,omitempty"`
}

// ErrorReports takes a joined error apart.
func ErrorReports(err error) []ErrorReport {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var list []ErrorReport
		for _, e := range joined.Unwrap() {
			list = append(list, ErrorReports(e)...)
		}
		return list
	}
	var m *ConfigError
	if errors.As(err, &m) {
		return []ErrorReport{{m.Thing, m.Value, m.Wrong, m.Advice}}
	}
	return []ErrorReport{{Wrong: oneLine(err.Error())}}
}

func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
