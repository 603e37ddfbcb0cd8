package upstream

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// defaultPort is where a runner listens for metrics.
const defaultPort = "9252"

// ErrRemote is the error for a host that is not loopback in digits, nor "localhost".
var ErrRemote = errors.New("not localhost or a loopback address in digits")

// Address is where the runner listens. The zero Address is nowhere.
type Address struct {
	dial string // host:port
}

// String returns host:port, as it is dialled and sent in Host.
func (a Address) String() string { return a.dial }

// ParseAddress reads what UnmarshalText reads. A host that is not loopback is an error that
// wraps ErrRemote unless allowRemote.
func ParseAddress(raw string, allowRemote bool) (Address, error) {
	var a Address
	if err := a.UnmarshalText([]byte(raw)); err != nil {
		return Address{}, err
	}
	if !allowRemote && !a.IsLoopback() {
		return Address{}, fmt.Errorf("%q: %w", raw, ErrRemote)
	}
	return a, nil
}

// UnmarshalText implements encoding.TextUnmarshaler. It reads an http URL without a path,
// host:port, or a host alone, whose port is then 9252. The host "localhost" is 127.0.0.1
// and nothing else: another process may listen on [::1]. A remote host is not an error
// here: see IsLoopback.
func (a *Address) UnmarshalText(text []byte) error {
	raw := string(text)
	host, port, err := splitAddress(raw)
	if err == nil {
		host, err = dialHost(host)
	}
	if err != nil {
		if i := strings.LastIndex(raw, "@"); i >= 0 {
			raw = "…" + raw[i:] // a password may precede it
		}
		return fmt.Errorf("%q: %w", raw, err)
	}
	a.dial = net.JoinHostPort(host, port)
	return nil
}

// IsLoopback reports whether a is a loopback address. A host name never is, whatever it
// resolves to.
func (a Address) IsLoopback() bool {
	ap, err := netip.ParseAddrPort(a.dial)
	return err == nil && ap.Addr().IsLoopback()
}

// splitAddress splits raw, in any of its forms, into host and port.
func splitAddress(raw string) (host, port string, err error) {
	rest := raw
	if scheme, after, ok := strings.Cut(raw, "://"); ok {
		if !strings.EqualFold(scheme, "http") {
			return "", "", fmt.Errorf("scheme %s: the runner speaks plain http only", scheme)
		}
		rest = strings.TrimSuffix(after, "/")
	}
	if strings.Contains(rest, "@") {
		return "", "", errors.New("user information is not used")
	}
	if strings.ContainsAny(rest, "/?#\\") {
		return "", "", errors.New("a path, query or fragment is not used")
	}
	if _, err := netip.ParseAddr(strings.Trim(rest, "[]")); err == nil {
		return strings.Trim(rest, "[]"), defaultPort, nil
	}
	if !strings.Contains(rest, ":") {
		return rest, defaultPort, nil
	}
	host, port, err = net.SplitHostPort(rest)
	if err != nil {
		return "", "", errors.New("want host:port")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '+' {
		return "", "", fmt.Errorf("port %q: want 1 to 65535", port)
	}
	return host, port, nil
}

// dialHost returns the host to dial for host.
func dialHost(host string) (string, error) {
	if strings.EqualFold(host, "localhost") {
		return "127.0.0.1", nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		switch {
		case ip.Zone() != "":
			return "", errors.New("an IPv6 zone is not used")
		case ip.IsUnspecified():
			return "", errors.New("not an address to dial")
		}
		return ip.Unmap().String(), nil
	}
	if !isHostName(host) {
		return "", errors.New("want a host name or address")
	}
	return host, nil
}

// isHostName reports whether s has only characters of host names.
func isHostName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if !('a' <= c && c <= 'z' || '0' <= s[i] && s[i] <= '9' || s[i] == '-' || s[i] == '.' || s[i] == '_') {
			return false
		}
	}
	return s != "" && len(s) <= 253
}
