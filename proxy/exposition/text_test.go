package exposition

import (
	"strings"
	"testing"
)

// TestTextPolicies shows for each policy what a sample becomes.
func TestTextPolicies(t *testing.T) {
	for _, c := range []struct{ in, exported, keep, override string }{
		{in: `m 1`, exported: `m{r="g"} 1`},
		{in: `m{} 1`, exported: `m{r="g"} 1`},
		{in: `m{ } 1`, exported: `m{r="g" } 1`},
		{in: `m+1`, exported: `m{r="g"}+1`},
		{in: ` m{a="b"} 1`, exported: ` m{a="b",r="g"} 1`},
		{in: `m{a="b",} 1`, exported: `m{a="b",r="g",} 1`},
		{in: `m{ a = "b" , } 1`, exported: `m{ a = "b",r="g" , } 1`},
		{in: `{"m.x"} 1`, exported: `{"m.x",r="g"} 1`},
		{in: `{"m.x",a="b"} 1`, exported: `{"m.x",a="b",r="g"} 1`},
		{in: `{a="b","m.x"} 1`, exported: `{a="b","m.x",r="g"} 1`},
		{in: `# HELP m r="x" {r="y"}`, exported: `# HELP m r="x" {r="y"}`},
		{in: `m{xr="x",a="r",b="r=\"x\""} 1`, exported: `m{xr="x",a="r",b="r=\"x\"",r="g"} 1`},
		{
			in: `m{a="b",r="x",c="d"} 1`, exported: `m{a="b",exported_r="x",c="d",r="g"} 1`,
			keep: `m{a="b",r="x",c="d"} 1`, override: `m{a="b",r="g",c="d"} 1`,
		},
		{
			in: `m{"r"="\"x\\"} 1`, exported: `m{"exported_r"="\"x\\",r="g"} 1`,
			keep: `m{"r"="\"x\\"} 1`, override: `m{"r"="g"} 1`,
		},
		{
			in: `m{a="b",r="",c="d"} 1`, exported: `m{a="b",r="g",c="d"} 1`,
			keep: `m{a="b",r="",c="d"} 1`, override: `m{a="b",r="g",c="d"} 1`,
		},
		{
			in: `m{r="x",exported_r="y"} 1`, exported: `m{exported_exported_r="x",exported_r="y",r="g"} 1`,
			keep: `m{r="x",exported_r="y"} 1`, override: `m{r="g",exported_r="y"} 1`,
		},
		{ // a free name exists already: the values move
			in: `m{r="x",exported_r=""} 1`, exported: `m{r="g",exported_r="x"} 1`,
			keep: `m{r="x",exported_r=""} 1`, override: `m{r="g",exported_r=""} 1`,
		},
		{in: `m{exported_r="y"} 1`, exported: `m{exported_r="y",r="g"} 1`},
	} {
		if c.keep == "" {
			c.keep, c.override = c.exported, c.exported
		}
		for conflict, want := range map[Conflict]string{Exported: c.exported, Keep: c.keep, Override: c.override} {
			l, err := Compile(Label{"r", "g", conflict})
			if err != nil {
				t.Fatal(err)
			}
			// Three times, so that the template labels the later ones.
			got, err := pass(strings.Repeat(c.in+"\n", 3), kindText, l)
			if want = strings.Repeat(want+"\n", 3); err != nil || got != want {
				t.Errorf("%v: %v\n got %s\nwant %s", conflict, err, got, want)
			}
		}
	}
}

// TestTextSeveral adds several labels, each with its own policy.
func TestTextSeveral(t *testing.T) {
	l, err := Compile(
		Label{"b", "1", Exported}, Label{"exported_b", "2", Exported},
		Label{"k", "3", Keep}, Label{"o", "4", Override},
	)
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		`m 1`:                    `m{b="1",exported_b="2",k="3",o="4"} 1`,
		`m{a="x"} 1`:             `m{a="x",b="1",exported_b="2",k="3",o="4"} 1`,
		`m{k="x",o="y"} 1`:       `m{k="x",o="4",b="1",exported_b="2"} 1`,
		`m{b="x"} 1`:             `m{exported_exported_b="x",b="1",exported_b="2",k="3",o="4"} 1`,
		`m{exported_b="x"} 1`:    `m{exported_exported_b="x",b="1",exported_b="2",k="3",o="4"} 1`,
		`{"m",k="",o="",b=""} 1`: `{"m",k="",o="4",b="1",exported_b="2"} 1`,
		`m{exported_b="y",b="x"} 1`: `m{exported_exported_exported_b="y",exported_exported_b="x",` +
			`b="1",exported_b="2",k="3",o="4"} 1`,
	} {
		got, err := pass(strings.Repeat(in+"\n", 3), kindText, l)
		if want = strings.Repeat(want+"\n", 3); err != nil || got != want {
			t.Errorf("%s: %v\n got %s\nwant %s", in, err, got, want)
		}
	}
}
