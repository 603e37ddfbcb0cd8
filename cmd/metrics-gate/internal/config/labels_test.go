package config

import (
	"slices"
	"strings"
	"testing"
)

func TestConstantLabels(t *testing.T) {
	for _, test := range []struct {
		text string
		want pairs
		err  string // part of the error; empty if there is none
	}{
		{"", nil, ""},
		{"a=b", pairs{{"a", "b"}}, ""},
		{" a = b , c=d\n", pairs{{"a", "b"}, {"c", "d"}}, ""},
		{"a=", pairs{{"a", ""}}, ""},
		{"a=b=c", pairs{{"a", "b=c"}}, ""},
		{`env="prod"`, pairs{{"env", "prod"}}, ""},
		{`env="prod",team="a,b"`, pairs{{"env", "prod"}, {"team", "a,b"}}, ""},
		{`a="say \"x\", \\",b=""`, pairs{{"a", `say "x", \`}, {"b", ""}}, ""},
		{`a="b;c=d"`, pairs{{"a", "b;c=d"}}, ""},
		{"a=two words", pairs{{"a", "two words"}}, ""},
		{"a=b;c", pairs{{"a", "b;c"}}, ""},
		{"owner=it's us", pairs{{"owner", "it's us"}}, ""},
		{"a", nil, `label "a": not NAME=VALUE`},
		{"env:prod", nil, `write it as in env=prod`},
		{"=b", nil, "not NAME=VALUE"},
		{"a=b,", nil, "nothing before or after a comma"},
		{"a=b,,c=d", nil, "nothing before or after a comma"},
		{"env=prod;team=a", nil, "';' between two labels"},
		{"env=prod; team=a", nil, "';' between two labels"},
		{"env=prod team=a", nil, "' ' between two labels"},
		{"env=prod\nteam=a", nil, `'\n' between two labels`},
		{"env='prod'", nil, "quotes in the value"},
		{`size=5"`, nil, "quotes in the value"},
		{`"env=prod"`, nil, "quotes around it"},
		{`'env=prod'`, nil, "quotes around it"},
		{`env="prod`, nil, "not one text in double quotes"},
		{`env="prod"x`, nil, "not one text in double quotes"},
	} {
		var p pairs
		err := p.UnmarshalText([]byte(test.text))
		if test.err == "" && (err != nil || !slices.Equal(p, test.want)) {
			t.Errorf("%q: %v %v, want %v", test.text, p, err, test.want)
		}
		if test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%q: %v %v, want %q", test.text, p, err, test.err)
		}
	}
}

// Each variable is blamed for its own labels and for no other's.
func TestBlameForLabels(t *testing.T) {
	long := strings.Repeat("x", 1<<16)
	for _, test := range []struct {
		set  []string
		want []string
	}{
		{[]string{"LABEL_NAME=a-b"}, []string{"LABEL_NAME"}},
		{[]string{"LABEL_NAME=le"}, []string{"LABEL_NAME"}},
		{[]string{"LABEL_NAME="}, []string{"LABEL_NAME"}},
		{[]string{"LABEL_NAME= "}, []string{"LABEL_NAME"}},
		{[]string{"LABEL_NAME=a-b", "LABELS=c=d"}, []string{"LABEL_NAME"}},
		{[]string{"LABEL_NAME=a-b", "RUNNER_NAME=x\xff"}, []string{"LABEL_NAME", "RUNNER_NAME"}},
		{[]string{"LABEL_NAME=a-b", "LABELS=c-d=e"}, []string{"LABEL_NAME", "LABELS"}},
		{[]string{"LABEL_NAME=c", "LABELS=c=d"}, []string{"LABELS"}},
		{[]string{"LABELS=runner_name=x"}, []string{"LABELS"}},
		{[]string{"LABELS=a=b,a=c"}, []string{"LABELS"}},
		{[]string{"LABELS=__name__=x"}, []string{"LABELS"}},
		{[]string{"LABELS=1a=b"}, []string{"LABELS"}},
		{[]string{"LABELS=a=b;c=d"}, []string{"LABELS"}},
		{[]string{"RUNNER_NAME=" + long}, []string{"RUNNER_NAME"}},
		{[]string{"RUNNER_NAME=" + long[:40000], "LABELS=a=" + long[:40000]}, []string{"LABELS"}},
	} {
		environ := good()
		for i, entry := range test.set {
			environ = append(environ, Prefix+entry)
			test.set[i] = entry[:min(len(entry), 40)]
		}
		want := make([]string, len(test.want))
		for i, name := range test.want {
			want[i] = Prefix + name
		}
		_, err := Load(environ)
		if got := blamed(t, err); !slices.Equal(got, want) {
			t.Errorf("%q: blamed %q, want %q", test.set, got, want)
		}
	}
}
