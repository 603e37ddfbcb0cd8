package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"
)

// What a person and what a program gets of each kind of error.
func TestReportAndErrorReportsAgree(t *testing.T) {
	a := &ConfigError{Thing: "A", Value: "x", Wrong: "wrong", List: []string{"one", "two"}, Advice: "write y"}
	b := &ConfigError{Thing: "B", Wrong: "not set"}
	failed := errors.New("it failed:\nsecond line\r\n")
	for name, test := range map[string]struct {
		err  error
		code int
		text string
		json []ErrorReport
	}{
		"configuration": {a, 2, "metrics-gate: A \"x\": wrong\n  one\n  two\n  write y\n",
			[]ErrorReport{{Thing: "A", Value: "x", Wrong: "wrong", List: []string{"one", "two"}, Advice: "write y"}}},
		"without value and advice": {b, 2, "metrics-gate: B: not set\n", []ErrorReport{{Thing: "B", Wrong: "not set"}}},
		"wrapped": {fmt.Errorf("demo: %w", b), 2, "metrics-gate: demo: B: not set\n",
			[]ErrorReport{{Thing: "B", Wrong: "not set"}}},
		"failure": {failed, 1, "metrics-gate: it failed:; second line\n",
			[]ErrorReport{{Wrong: "it failed:; second line"}}},
		"several": {errors.Join(a, b), 2,
			"metrics-gate: A \"x\": wrong\n  one\n  two\n  write y\nmetrics-gate: B: not set\n",
			[]ErrorReport{{Thing: "A", Value: "x", Wrong: "wrong", List: []string{"one", "two"}, Advice: "write y"},
				{Thing: "B", Wrong: "not set"}}},
		"a failure among them": {errors.Join(failed, b), 2,
			"metrics-gate: it failed:; second line\nmetrics-gate: B: not set\n",
			[]ErrorReport{{Wrong: "it failed:; second line"}, {Thing: "B", Wrong: "not set"}}},
		"joined twice": {errors.Join(errors.Join(b), failed), 2,
			"metrics-gate: B: not set\nmetrics-gate: it failed:; second line\n",
			[]ErrorReport{{Thing: "B", Wrong: "not set"}, {Wrong: "it failed:; second line"}}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if code := Report(&out, test.err); code != test.code || out.String() != test.text {
				t.Errorf("status %d\n%swant %d\n%s", code, out.String(), test.code, test.text)
			}
			if got := ErrorReports(test.err); !reflect.DeepEqual(got, test.json) {
				t.Errorf("%+v, want %+v", got, test.json)
			}
		})
	}
	var out bytes.Buffer
	if code := Report(&out, nil); code != 0 || out.Len() > 0 {
		t.Errorf("no error: %d %s", code, out.String())
	}
	if code := Report(&out, ExitCode(7)); code != 7 || out.Len() > 0 {
		t.Errorf("an exit status alone is printed: %d %s", code, out.String())
	}
}

// A thing has one error, the first; nothing else is lost or put in another order.
func TestConfigErrorsKeepTheFirstOfEachThing(t *testing.T) {
	var all ConfigErrors
	if all.Err() != nil {
		t.Error("an error of nothing")
	}
	first := &ConfigError{Thing: "A", Wrong: "first"}
	other := errors.New("other")
	all.Add(first)
	all.Join(nil)
	all.Join(errors.Join(&ConfigError{Thing: "A", Wrong: "second"}, errors.Join(other,
		&ConfigError{Thing: "B", Wrong: "first"})))
	all.Join(&ConfigError{Thing: "B", Wrong: "second"})
	all.Join(other)
	want := "A: first\nother\nB: first\nother"
	if err := all.Err(); err == nil || err.Error() != want || !errors.Is(err, other) || !errors.Is(err, first) {
		t.Errorf("%v, want %s", err, want)
	}
}

// The reason of an error leaves the path out, however deep it is.
func TestReasonLeavesThePathOut(t *testing.T) {
	deep := fmt.Errorf("load: %w", &fs.PathError{Op: "open", Path: "/etc/gate/key", Err: fs.ErrPermission})
	if got := Reason(deep); got != fs.ErrPermission.Error() {
		t.Error(got)
	}
	if got := Reason(errors.New("line 3")); got != "line 3" {
		t.Error(got)
	}
}

// JSON is indented, has no HTML escapes, and leaves out what an error does not have.
func TestWriteJSON(t *testing.T) {
	var out bytes.Buffer
	if err := WriteJSON(&out, ErrorReport{Thing: "A", Wrong: "<b> & \u2028"}); err != nil {
		t.Fatal(err)
	}
	if want := "{\n  \"thing\": \"A\",\n  \"wrong\": \"<b> & \\u2028\"\n}\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	var unsupported *json.UnsupportedTypeError
	if err := WriteJSON(&out, func() {}); !errors.As(err, &unsupported) {
		t.Error(err)
	}
}

// What the linker was told wins over what the toolchain recorded, and nothing stays empty.
func TestReadBuild(t *testing.T) {
	if b := ReadBuild("v1.2.3", "abc"); b.Version != "v1.2.3" || b.Revision != "abc" || b.GoVersion == "" {
		t.Errorf("%+v", b)
	}
	if b := ReadBuild("", ""); b.Version == "" || b.Revision == "" {
		t.Errorf("%+v", b)
	}
}

// Neither a token nor a control character of a terminal is printed.
func TestReportPrintsNoTokenAndNoControls(t *testing.T) {
	var out bytes.Buffer
	Report(&out, &ConfigError{Thing: "NAME\x1b]0;x\x07", Value: "mg_secret", Wrong: "no such file",
		Advice: "\x1b[2J"})
	if text := out.String(); strings.ContainsAny(text, "\x1b\x07") || strings.Contains(text, "secret") {
		t.Errorf("%q", text)
	}
	token := "mg_" + strings.Repeat("s3", 21) + "-"
	quoted := &ConfigError{Thing: "A", Value: "token:" + token, Wrong: "pattern \"" + token + "\"",
		Advice: "not " + token}
	text := fmt.Sprint(quoted, ErrorReports(quoted))
	if strings.Contains(text, "s3") || !strings.Contains(text, "not mg_…") {
		t.Error(text)
	}
	if r := ErrorReports(&ConfigError{Thing: "A", Value: "mg_secret"}); r[0].Value != "mg_…" {
		t.Errorf("%+v", r)
	}
}
