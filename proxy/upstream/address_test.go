package upstream

import (
	"errors"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for _, c := range []struct {
		raw    string
		remote bool
		want   string // empty: an error
	}{
		{"http://localhost:9252", false, "127.0.0.1:9252"},
		{"http://localhost", false, "127.0.0.1:9252"},
		{"http://LOCALHOST:1/", false, "127.0.0.1:1"},
		{"HTTP://127.0.0.1:80", false, "127.0.0.1:80"},
		{"localhost:9252", false, "127.0.0.1:9252"},
		{"localhost", false, "127.0.0.1:9252"},
		{"127.0.0.1", false, "127.0.0.1:9252"},
		{"127.9.9.9:65535", false, "127.9.9.9:65535"},
		{"[::1]:9252", false, "[::1]:9252"},
		{"[::1]", false, "[::1]:9252"},
		{"::1", false, "[::1]:9252"},
		{"http://[::1]:1", false, "[::1]:1"},
		{"[::ffff:127.0.0.1]:1", false, "127.0.0.1:1"},
		{"192.0.2.1:9252", true, "192.0.2.1:9252"},
		{"runner.example:9252", true, "runner.example:9252"},
		{"http://runner", true, "runner:9252"},
		{"192.0.2.1:9252", false, ""},
		{"runner.example", false, ""},
		{"localhost.example", false, ""},
		{"0.0.0.0:9252", false, ""},
		{"0.0.0.0:9252", true, ""},
		{"[::]:9252", true, ""},
		{"127.1", false, ""},
		{"0x7f000001", false, ""},
		{"2130706433", false, ""},
		{"[fe80::1%eth0]:1", true, ""},
		{"https://localhost:9252", false, ""},
		{"unix:///run/x", false, ""},
		{"http://user@localhost:9252", false, ""},
		{"user:pw@localhost:9252", false, ""},
		{"http://localhost:9252/metrics", false, ""},
		{"http://localhost:9252//", false, ""},
		{"localhost:9252/", false, ""},
		{"http://localhost:9252?x", false, ""},
		{"http://localhost:9252#x", false, ""},
		{"localhost:0", false, ""},
		{"localhost:65536", false, ""},
		{"localhost:+1", false, ""},
		{"localhost:http", false, ""},
		{"localhost:", false, ""},
		{":9252", false, ""},
		{"", false, ""},
		{"http://", false, ""},
		{"a b:1", true, ""},
		{"a\r\nX: y", true, ""},
		{strings.Repeat("a", 300), true, ""},
	} {
		got, err := ParseAddress(c.raw, c.remote)
		if (err == nil) != (c.want != "") || got.String() != c.want {
			t.Errorf("%q: %q, %v; want %q", c.raw, got, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "pw@") {
			t.Errorf("the error tells a password: %v", err)
		}
	}
}

func TestUnmarshalTextLeavesRemoteHostsToTheCaller(t *testing.T) {
	for text, loopback := range map[string]bool{
		"localhost": true, "[::1]:9252": true, "http://runner:9252": false, "10.0.0.1": false,
	} {
		var a Address
		if err := a.UnmarshalText([]byte(text)); err != nil || a.IsLoopback() != loopback {
			t.Errorf("%s: %v, loopback %t", text, err, a.IsLoopback())
		}
		if _, err := ParseAddress(text, false); (err == nil) != loopback || err != nil && !errors.Is(err, ErrRemote) {
			t.Errorf("%s: %v", text, err)
		}
	}
	var a Address
	if err := a.UnmarshalText([]byte("0.0.0.0")); err == nil || a != (Address{}) || a.IsLoopback() {
		t.Errorf("0.0.0.0: %v, %q", err, a)
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"http://localhost:9252", "[::1]:1", "127.0.0.1", "a@b", "x/y", "[::ffff:127.0.0.1]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		a, err := ParseAddress(raw, false)
		if err != nil {
			return
		}
		if !strings.HasPrefix(a.String(), "127.") && !strings.HasPrefix(a.String(), "[::1]:") {
			t.Errorf("%q is dialled as %q", raw, a)
		}
		if again, err := ParseAddress(a.String(), false); err != nil || again != a {
			t.Errorf("%q: %q again is %q, %v", raw, a, again, err)
		}
	})
}
