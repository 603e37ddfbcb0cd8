package auth

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestSplitList(t *testing.T) {
	for list, want := range map[string][]string{ // "!" marks an element that is an error
		`a`:             {"a"},
		`a, b ,c`:       {"a", "b", "c"},
		`a,,b,`:         {"a", "", "b", ""},
		`"a,b",c`:       {"a,b", "c"},
		` "a,b" , c`:    {"a,b", "c"},
		`"a\"b\\c"`:     {`a"b\c`},
		`"a`:            {`!"a`},
		`"a"b,c`:        {"!a", "c"},
		`"a" "b",c`:     {"!a", "c"},
		`a"b,c`:         {`!a"b`, "c"},
		`group:"a,b"`:   {`!group:"a`, `!b"`},
		`"a\nb"`:        {`!anb`},
		`a\b`:           {`a\b`},
		`""`:            {""},
		"a,\n\tb":       {"a", "b"},
		`"a,b","c,d",e`: {"a,b", "c,d", "e"},
	} {
		var got []string
		for _, e := range splitList(list) {
			if e.err != nil {
				e.text = "!" + e.text
			}
			got = append(got, e.text)
		}
		if list == `"a\nb"` { // the text of an element with a wrong escape does not matter
			if len(got) != 1 || !strings.HasPrefix(got[0], "!") {
				t.Errorf("%s: %q", list, got)
			}
			continue
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", list, got, want)
		}
	}
}

// FuzzList states that any elements are read back as they were.
func FuzzList(f *testing.F) {
	f.Add("group:CN=ops,OU=Groups", `a"b`)
	f.Add(`\`, "")
	f.Add(" a ", `\"`)
	f.Fuzz(func(t *testing.T, a, b string) {
		list := splitList(quoteElement(a) + "," + quoteElement(b))
		if len(list) != 2 || list[0].text != a || list[1].text != b || list[0].err != nil || list[1].err != nil {
			t.Errorf("%q and %q are read back as %+v", a, b, list)
		}
	})
}

func TestPolicyListErrors(t *testing.T) {
	for list, want := range map[string]string{
		"*,dns:a":                            "remove it",
		"dns:a, *":                           "remove it",
		"dns:bücher.example":                 "A-label",
		"email:prom@bücher.example":          "A-label",
		"email:prömetheus@example.org":       "ASCII",
		"uri:spiffe://bücher.example/a":      "A-label",
		"uri:https://example.org/ä":          "ASCII",
		"dns:prom.example.":                  "write dns:prom.example",
		"dns:a;dns:b":                        "write a comma",
		"dns:a; dns:b":                       "write a comma",
		"dns:a dns:b":                        "write a comma",
		"user:a\tgroup:b":                    "between two patterns",
		"cn:a | cn:b":                        "write a comma",
		`"dns:a,dns:b"`:                      "without them",
		`"group:a,user:b"`:                   "without them",
		`group:"a,b"`:                        "in quotes",
		`"group:a`:                           "no closing quote",
		`'dns:a'`:                            "without them",
		`"dns:a,b"`:                          "not a DNS name",
		"uri:spiffe://EXAMPLE.org/a":         "write uri:spiffe://example.org/a",
		"uri:spiffe://example.org/a?b":       "write uri:spiffe://example.org/a",
		"uri:spiffe://example.org/a#":        "write uri:spiffe://example.org/a",
		"uri:spiffe://a@example.org:1/a":     "write uri:spiffe://example.org/a",
		"uri:SPIFFE://example.org/*/a":       "write uri:spiffe://example.org/*/a",
		"*":                                  "",
		"*,*":                                "",
		`"group:CN=ops,OU=Groups"`:           "",
		`"group:say \"hi\" \\o/", user:a`:    "",
		"uri:https://EXAMPLE.org/a#":         "",
		"dns:xn--bcher-kva.example":          "",
		"user:John Doe":                      "",
		`"user:a group:b"`:                   "",
		"user:bücher":                        "",
		"cn:Bücher":                          "",
		"group:a;b":                          "",
		"dns:_metrics.example,dns:localhost": "",
	} {
		var p Policy
		err := p.UnmarshalText([]byte(list))
		if want == "" {
			if again, err2 := ParsePolicy(p.String()); err != nil || err2 != nil || again.String() != p.String() {
				t.Errorf("%s: %v; read back as %s, %v", list, err, again, err2)
			}
			continue
		}
		var pattern *PatternError
		if !errors.As(err, &pattern) || !strings.Contains(err.Error(), want) || !p.Empty() {
			t.Errorf("%s: %v, want %q", list, err, want)
		}
	}
}

func TestTablesAgree(t *testing.T) {
	kinds := map[string]bool{}
	for _, kind := range Kinds() {
		kinds[kind.Name] = true
		if _, err := ParsePolicy(kind.Example); err != nil || !strings.HasPrefix(kind.Example, kind.Name+":") ||
			kind.Title == "" {
			t.Errorf("%+v: %v", kind, err)
		}
		if len(MethodsOf(kind.Name)) == 0 {
			t.Errorf("no method has names for %s:", kind.Name)
		}
	}
	for _, method := range Methods() {
		if method.Title == "" || len(method.Kinds) == 0 || method.Bearer != (method.Name != MethodCertificate) {
			t.Errorf("%+v", method)
		}
		for _, kind := range method.Kinds {
			if !kinds[kind] {
				t.Errorf("%s: no kind %s", method.Name, kind)
			}
		}
	}
	if len(MethodsOf("san")) != 0 {
		t.Error("an unknown kind has methods")
	}
}
