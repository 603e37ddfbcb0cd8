package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// defaultPort is the port of the public listener.
const defaultPort = "9253"

// ListenAddress is the address of a listener. The zero value is all addresses, port 0.
type ListenAddress struct {
	Host string // empty: all addresses
	Port uint16
	text string // as configured
}

// UnmarshalText reads [host]:port. A missing port is 9253, a bare number is a port, and a
// service name (RFC 6335) is looked up.
func (a *ListenAddress) UnmarshalText(text []byte) error {
	raw := string(text)
	host, port, err := net.SplitHostPort(raw)
	switch {
	case err == nil:
	case isDigits(raw):
		host, port = "", raw
	case strings.Count(raw, ":") == 1 || strings.Contains(raw, "]:"):
		return err
	default:
		host, port = strings.Trim(raw, "[]"), defaultPort
	}
	if port == "" {
		port = defaultPort
	}
	if host, err = plainHost(host); err != nil {
		return err
	}
	n, err := net.LookupPort("tcp", port)
	if err != nil || strings.TrimSpace(port) != port {
		return fmt.Errorf("port %q: not a port or a service name", port)
	}
	*a = ListenAddress{Host: host, Port: uint16(n), text: raw}
	return nil
}

// plainHost is host with an IPv4 address in IPv6 form as IPv4.
func plainHost(host string) (string, error) {
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil:
		return ip.Unmap().String(), nil
	case strings.ContainsAny(host, "/ \t") || (host != "" && strings.Trim(host, "0123456789.") == ""):
		return "", fmt.Errorf("host %q: not a host", host)
	}
	return host, nil
}

func isDigits(s string) bool {
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}

// String is the address as it is configured.
func (a ListenAddress) String() string { return a.text }

// Network is tcp4 for an IPv4 address, which listens on IPv4 alone, and otherwise tcp.
func (a ListenAddress) Network() string {
	if ip, err := netip.ParseAddr(a.Host); err == nil && ip.Is4() {
		return "tcp4"
	}
	return "tcp"
}

// HostPort is the address for net.Listen.
func (a ListenAddress) HostPort() string {
	return net.JoinHostPort(a.Host, strconv.Itoa(int(a.Port)))
}

// DialAddress is where this machine reaches the listener.
func (a ListenAddress) DialAddress() string { return DialAddress(a.HostPort()) }

// DialAddress is where this machine reaches a listener that is bound to address, host:port:
// one on all addresses or on localhost is reached at 127.0.0.1.
func DialAddress(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip, err := netip.ParseAddr(host); host == "" || (err == nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(localhost(host), port)
}

// covers tells whether a listener on a also takes connections to the address host:port.
func (a ListenAddress) covers(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil || a.Port == 0 || port != strconv.Itoa(int(a.Port)) {
		return false
	}
	if a.Host == "" || host == "" || strings.EqualFold(localhost(a.Host), localhost(host)) {
		return true
	}
	own, err := netip.ParseAddr(localhost(a.Host))
	other, otherErr := netip.ParseAddr(localhost(host))
	if err != nil || otherErr != nil {
		return false
	}
	return (own.IsUnspecified() && (own.Is6() || other.Is4())) ||
		(other.IsUnspecified() && (other.Is6() || own.Is4()))
}

// localhost is host, or the address that the gate takes localhost for.
func localhost(host string) string {
	if strings.EqualFold(host, "localhost") {
		return "127.0.0.1"
	}
	return host
}

// isThisHost tells whether host is loopback, an address of an interface, or the host's name.
func isThisHost(host string) bool {
	ip, err := netip.ParseAddr(localhost(host))
	if err != nil {
		name, _ := os.Hostname()
		return strings.EqualFold(host, name)
	}
	addresses, _ := net.InterfaceAddrs()
	return ip.IsLoopback() || slices.ContainsFunc(addresses, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		return ok && n.IP.Equal(ip.AsSlice())
	})
}

// AdminAddress is the address of the admin listener, or off.
type AdminAddress struct {
	ListenAddress
	Off bool
}

// UnmarshalText reads host:port, where localhost is 127.0.0.1 and nothing else, or off.
func (a *AdminAddress) UnmarshalText(text []byte) error {
	raw := string(text)
	if raw == "off" {
		*a = AdminAddress{Off: true, ListenAddress: ListenAddress{text: raw}}
		return nil
	}
	if _, port, err := net.SplitHostPort(raw); err != nil || port == "" {
		return errors.New("not host:port")
	}
	if err := a.ListenAddress.UnmarshalText(text); err != nil {
		return err
	}
	a.Host = localhost(a.Host)
	return nil
}

// UpstreamAddress is where the runner listens.
type UpstreamAddress struct {
	upstream.Address
	text string // as configured
}

// UnmarshalText reads a URL, host:port or host. Whether the host may be remote is another variable's.
func (a *UpstreamAddress) UnmarshalText(text []byte) error {
	if err := a.Address.UnmarshalText(text); err != nil {
		if bare := errors.Unwrap(err); bare != nil { // without the value
			return bare
		}
		return err
	}
	a.text = string(text)
	return nil
}

// String is the address as it is configured.
func (a UpstreamAddress) String() string { return a.text }

// nearestUpstream is the URL that value most likely stands for: its host and port, without what is
// not used.
func nearestUpstream(value string) string {
	if _, rest, isURL := strings.Cut(value, "://"); isURL {
		value = rest
	}
	at := strings.LastIndex(value, "@")
	if query := strings.IndexAny(value, "?#"); query >= 0 && query < at { // the @ may be of the query
		return "http://localhost:9252"
	}
	value = value[at+1:]
	if i := strings.IndexAny(value, `/?#\`); i >= 0 {
		value = value[:i]
	}
	if cli.HideToken(value) != value || new(upstream.Address).UnmarshalText([]byte(value)) != nil {
		return "http://localhost:9252"
	}
	return "http://" + value
}

// port is the port of a.
func (a UpstreamAddress) port() string {
	_, port, _ := net.SplitHostPort(a.Address.String())
	return port
}
