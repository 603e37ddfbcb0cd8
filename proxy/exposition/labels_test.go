package exposition

import (
	"strings"
	"testing"
)

func TestParseConflict(t *testing.T) {
	for _, c := range []Conflict{Exported, Keep, Override} {
		got, err := ParseConflict(c.String())
		if err != nil || got != c {
			t.Errorf("ParseConflict(%q) = %v, %v", c.String(), got, err)
		}
	}
	for _, name := range []string{"", "Keep", "rename", "exported "} {
		if _, err := ParseConflict(name); err == nil {
			t.Errorf("ParseConflict(%q): no error", name)
		}
	}
	if got := Conflict(7).String(); got != "Conflict(7)" {
		t.Errorf("unknown policy is %q", got)
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, c := range []struct {
		want   string
		labels []Label
	}{
		{`label name "": want letters`, []Label{{}}},
		{`label name "1a": want letters`, []Label{{Name: "1a"}}},
		{`label name "a.b": want letters`, []Label{{Name: "a.b"}}},
		{`label name "a:b": want letters`, []Label{{Name: "a:b"}}},
		{`label name "ä": want letters`, []Label{{Name: "ä"}}},
		{`label name "__name__": reserved`, []Label{{Name: "__name__"}}},
		{`label name "le": reserved`, []Label{{Name: "le"}}},
		{`label name "quantile": reserved`, []Label{{Name: "quantile"}}},
		{`value "\xff" is not UTF-8`, []Label{{Name: "a", Value: "\xff"}}},
		{`contains NUL`, []Label{{Name: "a", Value: "b\x00"}}},
		{`unknown conflict policy 3`, []Label{{Name: "a", Conflict: 3}}},
		{`label "a": given twice`, []Label{{Name: "a"}, {Name: "b"}, {Name: "a"}}},
		{`more than 65536`, []Label{{Name: "a", Value: strings.Repeat("x", 1<<16)}}},
	} {
		if _, err := Compile(c.labels...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Compile(%.40v): %v, want %q", c.labels, err, c.want)
		}
	}
}

func TestCompile(t *testing.T) {
	l, err := Compile(
		Label{Name: "runner_name", Value: "a\\b\"c\nü"},
		Label{Name: "_z", Value: ""},
		Label{Name: "A9", Value: "x", Conflict: Keep},
	)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(l.more), `,runner_name="a\\b\"c\nü",_z="",A9="x"`; got != want {
		t.Errorf("more is %s, want %s", got, want)
	}
	if got, want := string(l.bare), `{runner_name="a\\b\"c\nü",_z="",A9="x"}`; got != want {
		t.Errorf("bare is %s, want %s", got, want)
	}
	if got, want := string(l.list[2].pair), "\n\x07\n\x02A9\x12\x01x"; got != want {
		t.Errorf("pair is %q, want %q", got, want)
	}
	var byName, byLength []string
	for i := range l.list {
		byName = append(byName, l.list[l.sorted[i]].Name)
		byLength = append(byLength, l.list[l.rank[i]].Name)
	}
	if got := strings.Join(byName, " "); got != "A9 _z runner_name" {
		t.Errorf("by name: %s", got)
	}
	if got := strings.Join(byLength, " "); got != "A9 _z runner_name" {
		t.Errorf("by length: %s", got)
	}
}

func TestCompileNothing(t *testing.T) {
	l, err := Compile()
	if err != nil {
		t.Fatal(err)
	}
	const body = "# x\nm 1\nm{} 2\nm{a=\"b\"} 3\n"
	if got, err := pass(body, kindText, l); err != nil || got != body {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := pass(body, kindText, nil); err != nil || got != body {
		t.Errorf("nil labels: %q, %v", got, err)
	}
}
