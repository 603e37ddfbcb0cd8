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

// Address is where the runner listens. The zero Address is nowhere.
type Address struct {
	dial string // host:port
}

// String returns host:port, as it is dialled and sent in Host.
func (a Address) String() string { return a.dial }

// ParseAddress reads an http URL without a path, host:port or a host alone, whose
// port is then 9252. The host "localhost" is 127.0.0.1 and nothing else: whoever
// may bind [::1] is not the runner. A host that is not a loopback address in
// digits is an error unless allowRemote.
func ParseAddress(raw string, allowRemote bool) (Address, error) {
	host, port, err := splitAddress(raw)
	if err == nil {
		host, err = checkHost(host, allowRemote)
	}
	if err != nil {
		if i := strings.LastIndex(raw, "@"); i >= 0 {
			raw = "…" + raw[i:] // what comes before may be a password
		}
		return Address{}, fmt.Errorf("%q: %w", raw, err)
	}
	return Address{net.JoinHostPort(host, port)}, nil
}

// splitAddress takes the forms apart.
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

// checkHost returns the host to dial.
func checkHost(host string, allowRemote bool) (string, error) {
	if strings.EqualFold(host, "localhost") {
		return "127.0.0.1", nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		switch {
		case ip.Zone() != "":
			return "", errors.New("an IPv6 zone is not used")
		case ip.Unmap().IsLoopback() || allowRemote && !ip.IsUnspecified():
			return ip.Unmap().String(), nil
		}
		return "", errors.New("not a loopback address")
	}
	if !isHostName(host) {
		return "", errors.New("want a host name or address")
	}
	if !allowRemote {
		return "", errors.New("not localhost or a loopback address in digits")
	}
	return host, nil
}

// isHostName reports whether s is made of what host names are made of.
func isHostName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if !('a' <= c && c <= 'z' || '0' <= s[i] && s[i] <= '9' || s[i] == '-' || s[i] == '.' || s[i] == '_') {
			return false
		}
	}
	return s != "" && len(s) <= 253
}
