package auth

import (
	"strings"
	"testing"
)

// Whatever stands between patterns in the place of a comma is named, with what to write.
func TestSeparatorsAreNamed(t *testing.T) {
	for list, want := range map[string]string{
		"dns:a.example dns:b.example":  "' ' between two patterns; write a comma",
		"dns:a.example;dns:b.example":  "';' between two patterns; write a comma",
		"dns:a.example; dns:b.example": "';' between two patterns; write a comma",
		"dns:a.example|user:b":         "'|' between two patterns; write a comma",
		"dns:a.example\ndns:b.example": `'\n' between two patterns; write a comma`,
		"dns:a.example b.example":      "write a comma and a type",
		"dns:a.example;b.example":      "write a comma and a type",
		"a.example;b.example":          "write one before each pattern and a comma",
		"a.example b.example":          "write one before each pattern and a comma",
		"token:a token:b":              "' ' between two patterns",
		"token:a;b":                    "want letters, digits",
	} {
		if _, err := ParsePolicy(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", list, err, want)
		}
	}
	for _, list := range []string{"user:a b", "group:CN ops; eu", "cn:Prometheus at work", `"group:a,b"`} {
		if _, err := ParsePolicy(list); err != nil {
			t.Errorf("%q: %v", list, err)
		}
	}
}
