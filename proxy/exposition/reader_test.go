package exposition

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// bodies returns a captured body of each format.
func bodies(t testing.TB) map[kind][]byte {
	return map[kind][]byte{
		kindText:        fixture(t, "runner.txt"),
		kindOpenMetrics: fixture(t, "caddy.openmetrics"),
		kindProtobuf:    fixture(t, "prometheus.proto"),
	}
}

func TestReadersAgree(t *testing.T) {
	l := gateLabels(t, Exported)
	for k, body := range bodies(t) {
		want, err := pass(string(body), k, l)
		if err != nil {
			t.Fatal(err)
		}
		for name, src := range map[string]io.Reader{
			"one byte":       iotest.OneByteReader(bytes.NewReader(body)),
			"half":           iotest.HalfReader(bytes.NewReader(body)),
			"data with EOF":  iotest.DataErrReader(bytes.NewReader(body)),
			"empty reads":    &hesitant{src: bytes.NewReader(body)},
			"a chunk and so": &pieces{body: body, size: chunkBytes - 1},
		} {
			got, err := io.ReadAll(NewReader(src, &Format{k}, l, Limits{}))
			if err != nil || string(got) != want {
				t.Errorf("%v, %s: %d bytes, %v, want %d", &Format{k}, name, len(got), err, len(want))
			}
		}
		r := NewReader(bytes.NewReader(body), &Format{k}, l, Limits{})
		if got, err := io.ReadAll(iotest.OneByteReader(r)); err != nil || string(got) != want {
			t.Errorf("%v, read by bytes: %d bytes, %v", &Format{k}, len(got), err)
		}
		if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%v, after the end: %d, %v", &Format{k}, n, err)
		}
	}
}

// TestCut reads every prefix of a body. Only a prefix that is a complete body may end well.
func TestCut(t *testing.T) {
	l := gateLabels(t, Exported)
	proto := string(fixture(t, "runner.proto")[:2000])
	for k, body := range map[kind]string{
		kindText:        "# HELP m x\n# TYPE m counter\nm{a=\"b\",c=\"d\"} 1\nm{a=\"c\",c=\"d\"} 1.5 17\n\nm 2\n",
		kindOpenMetrics: "# HELP m x\n# TYPE m counter\nm_total{a=\"b\"} 1 # {c=\"d\"} 1 2\nm_total 1\n# EOF\n",
		kindProtobuf:    proto,
	} {
		for n := range len(body) {
			_, err := pass(body[:n], k, l)
			whole := k == kindText && n > 0 && body[n-1] == '\n' || k == kindOpenMetrics && n >= len(body)-1
			if k == kindProtobuf {
				whole = messageEnds(body, n)
			}
			if (err == nil) != whole {
				t.Errorf("%v, %d of %d bytes: %v", &Format{k}, n, len(body), err)
			}
			if n == 0 && err != ErrEmpty {
				t.Errorf("%v, no bytes: %v", &Format{k}, err)
			}
		}
	}
}

// messageEnds reports whether the first n bytes of body are whole messages.
func messageEnds(body string, n int) bool {
	i := 0
	for i < n {
		size, at := uvarint([]byte(body), i)
		i = at + int(size)
	}
	return i == n && n > 0
}

// TestSourceFails lets the source end with an error. The Reader must end with the same error.
func TestSourceFails(t *testing.T) {
	broken := errors.New("connection reset")
	l := gateLabels(t, Exported)
	for k, body := range bodies(t) {
		for _, n := range []int{0, 1, 1000, len(body) - 1, len(body)} {
			src := io.MultiReader(bytes.NewReader(body[:n]), iotest.ErrReader(broken))
			r := NewReader(src, &Format{k}, l, Limits{})
			if _, err := r.WriteTo(io.Discard); err != broken {
				t.Errorf("%v, after %d bytes: %v", &Format{k}, n, err)
			}
			if _, err := r.Read(make([]byte, 1)); err != broken {
				t.Errorf("%v, again: %v", &Format{k}, err)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	l := gateLabels(t, Exported)
	line := "m{a=\"" + strings.Repeat("x", 92) + "\"} 1"
	help := "# HELP m " + strings.Repeat("x", 91)
	long := "m{a=\"" + strings.Repeat("x", 200_000) + "\"} 1"
	message := "\x64" + strings.Repeat("\x0a\x02mm", 23) + "\x12\x06abcdef" // of 100 bytes
	for name, c := range map[string]struct {
		body string
		kind kind
		Limits
		want error
	}{
		"line fits":            {line + "\n", kindText, Limits{LineBytes: 101}, nil},
		"line too long":        {line + "\n", kindText, Limits{LineBytes: 100}, ErrTooLong},
		"second line too long": {"m{a=\"x\"} 1\n" + line + "\n", kindText, Limits{LineBytes: 100}, ErrTooLong},
		"comment fits":         {help + "\n", kindText, Limits{LineBytes: 100}, nil},
		"comment too long":     {help + "\n", kindText, Limits{LineBytes: 99}, ErrTooLong},
		"long line fits":       {long + "\n" + long + "\n", kindText, Limits{LineBytes: int64(len(long))}, nil},
		"long line too long":   {long + "\n", kindText, Limits{LineBytes: int64(len(long)) - 1}, ErrTooLong},
		"line beyond buffer":   {long + "\n", kindText, Limits{LineBytes: 100_000}, ErrTooLong},
		"line without end":     {strings.Repeat("m", 200_000), kindText, Limits{LineBytes: 100_000}, ErrTooLong},
		"message fits":         {message, kindProtobuf, Limits{MessageBytes: 100}, nil},
		"message too long":     {message, kindProtobuf, Limits{MessageBytes: 99}, ErrTooLong},
		"message is no line":   {message, kindProtobuf, Limits{LineBytes: 99}, nil},
		"line is no message":   {line + "\n", kindText, Limits{MessageBytes: 99}, nil},
		"default message fits": {bigFamily(16 << 20), kindProtobuf, Limits{}, nil},
		"default message":      {bigFamily(16<<20 + 1), kindProtobuf, Limits{}, ErrTooLong},
		"body fits":            {"m 1\nm 2\n", kindText, Limits{Bytes: 8}, nil},
		"body too large":       {"m 1\nm 2\n", kindText, Limits{Bytes: 7}, ErrTooLarge},
		"default line fits":    {"m{a=\"" + strings.Repeat("x", 1<<20-10) + "\"} 1\n", kindText, Limits{}, nil},
		"default line":         {"m{a=\"" + strings.Repeat("x", 1<<20) + "\"} 1\n", kindText, Limits{}, ErrTooLong},
	} {
		r := NewReader(strings.NewReader(c.body), &Format{c.kind}, l, c.Limits)
		if _, err := r.WriteTo(io.Discard); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// bigFamily is a family without metrics of so many bytes, with its length.
func bigFamily(size int) string {
	const name = "\x0a\x01m"
	help := size - len(name) - 1
	help -= uvarintSize(help)
	family := binary.AppendUvarint([]byte(name+"\x12"), uint64(help))
	return string(binary.AppendUvarint(nil, uint64(size))) + string(family) + strings.Repeat("h", help)
}

func TestWriteToReportsItsWriter(t *testing.T) {
	full := errors.New("disk full")
	r := NewReader(strings.NewReader("m 1\n"), &Format{}, nil, Limits{})
	if n, err := r.WriteTo(failing{full}); n != 0 || err != full {
		t.Errorf("%d, %v", n, err)
	}
	r.Reset(strings.NewReader("m 1\n"), &Format{}, nil, Limits{})
	if n, err := r.WriteTo(failing{nil}); n != 0 || err != io.ErrShortWrite {
		t.Errorf("short write: %d, %v", n, err)
	}
}

func TestStuckSource(t *testing.T) {
	r := NewReader(stuck{}, &Format{}, nil, Limits{})
	if _, err := io.ReadAll(r); err != io.ErrNoProgress {
		t.Error(err)
	}
}

func TestZeroReader(t *testing.T) {
	var r Reader
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != ErrEmpty {
		t.Errorf("%d, %v", n, err)
	}
	r.Reset(strings.NewReader("m 1\n"), &Format{}, gateLabels(t, Keep), Limits{})
	if got, err := io.ReadAll(&r); err != nil || string(got) != "m{runner_name=\"gate-build-linux-01\"} 1\n" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestResetForgets reads good bodies with a Reader that has failed within a body of each format.
func TestResetForgets(t *testing.T) {
	l := gateLabels(t, Exported)
	var r Reader
	for k, body := range bodies(t) {
		want, _ := pass(string(body), k, l)
		for other, bad := range bodies(t) {
			r.Reset(bytes.NewReader(bad[:len(bad)-5]), &Format{other}, l, Limits{})
			if _, err := r.WriteTo(io.Discard); err == nil {
				t.Fatalf("%v: cut body passes", &Format{other})
			}
			r.Reset(bytes.NewReader(body), &Format{k}, l, Limits{})
			if got, err := io.ReadAll(&r); err != nil || string(got) != want {
				t.Errorf("%v after %v: %v", &Format{k}, &Format{other}, err)
			}
		}
	}
}

func TestSyntaxErrorTellsTheLine(t *testing.T) {
	for body, want := range map[string]SyntaxError{
		"m 1\n\n# x\nm{ 1\n":                         {4, "no label name"},
		"m{a=\"b\"} 1\nm{a=\"c\"} 2\nm{a=\"c\"} x\n": {3, "bad value"},
		"m{a=\"x\ny\"} 1\nm\n":                       {3, "bad value"},
		"m{a=\"x\ny\"=} 1\n":                         {2, "no label name"},
	} {
		_, err := pass(body, kindText, nil)
		var got *SyntaxError
		if !errors.As(err, &got) || *got != want {
			t.Errorf("%q: %v, want %v", body, err, &want)
		}
	}
	_, err := pass("\x03\x0a\x01m\x02\x0a\x07", kindProtobuf, nil)
	if want := "exposition line 2: malformed family"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
