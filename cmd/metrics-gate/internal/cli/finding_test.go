package cli

import (
	"bytes"
	"log/slog"
	"testing"
)

func TestWorst(t *testing.T) {
	for _, test := range []struct {
		list []Finding
		want string
	}{
		{nil, LevelOK}, {[]Finding{OK("a")}, LevelOK}, {[]Finding{OK("a"), Warn("do", "b")}, LevelWarn},
		{[]Finding{Warn("do", "b"), Fail("do", "c"), OK("a")}, LevelFail},
		{[]Finding{Fail("do", "c"), Warn("do", "b")}, LevelFail},
	} {
		if got := Worst(test.list); got != test.want {
			t.Errorf("%+v: %s, want %s", test.list, got, test.want)
		}
	}
}

// What the parts warn of while a gate is built becomes findings; the rest does not.
func TestWarningsAreKept(t *testing.T) {
	var warned Warnings
	log := slog.New(&warned).With("a", 1).WithGroup("g")
	log.Info("nothing")
	log.Debug("nothing")
	log.Warn("certificate may not work", "file", "server", "subject", "CN=x", "reason", "no name",
		"advice", "issue it with one")
	log.Error("worse")
	log.Warn("certificate may not work", "expired", true)
	log.Warn("worst", "expired", false)
	if len(warned.List) != 3 || warned.List[0].What != "certificate may not work: server: CN=x: no name" ||
		warned.List[0].Do != "issue it with one" ||
		warned.List[1].What != "worse" {
		t.Errorf("%+v", warned.List)
	}
	for _, f := range warned.List {
		if f.Level != LevelWarn {
			t.Errorf("%+v", f)
		}
	}
}

func TestFindingLines(t *testing.T) {
	for _, test := range []struct {
		f    Finding
		want string
	}{
		{OK("%d things", 2), "ok    2 things\n"},
		{Warn("do it", "a thing"), "warn  a thing: do it\n"},
		{Fail("do it", "100 %% of %q", "x"), "fail  100 % of \"x\": do it\n"},
	} {
		var out bytes.Buffer
		if err := test.f.Print(&out); err != nil || out.String() != test.want {
			t.Errorf("%q, want %q (%v)", out.String(), test.want, err)
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{"plain ünï": "plain ünï", "a\nb\tc": "a b c", "\x7f\u0085": "  ",
		"\x1b]0;x\x07": " ]0;x "} {
		if got := Printable(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestFindingsArePrintable(t *testing.T) {
	var out bytes.Buffer
	if err := Fail("do\nthat", "a \x1b[31m\u009b name").Print(&out); err != nil ||
		out.String() != "fail  a  [31m  name: do that\n" {
		t.Errorf("%q %v", out.String(), err)
	}
}
