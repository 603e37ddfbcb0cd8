package main

import (
	"encoding/json"
	"errors"
	"io"
)

// checkError is a mistake as JSON.
type checkError struct {
	Thing  string `json:"thing,omitempty"`
	Value  string `json:"value,omitempty"`
	Wrong  string `json:"wrong"`
	Advice string `json:"advice,omitempty"`
}

// checkErrors takes a joined error apart.
func checkErrors(err error) []checkError {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var list []checkError
		for _, e := range joined.Unwrap() {
			list = append(list, checkErrors(e)...)
		}
		return list
	}
	var m *ConfigError
	if errors.As(err, &m) {
		return []checkError{{m.Thing, m.Value, m.Wrong, m.Advice}}
	}
	return []checkError{{Wrong: oneLine(err.Error())}}
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
