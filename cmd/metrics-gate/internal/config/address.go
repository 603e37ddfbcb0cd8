package config

import (
	"net"
	"strconv"
	"strings"
)

// ListenAddress completes a public address: a missing port is 9253, a service name is looked up.
func ListenAddress(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		if strings.Count(address, ":") == 1 || strings.Contains(address, "]:") {
			return "", err
		}
		host, port = strings.Trim(address, "[]"), "9253"
	}
	if port == "" {
		port = "9253"
	}
	if strings.ContainsAny(host, "/ ") {
		return "", &net.AddrError{Err: "not a host", Addr: host}
	}
	n, err := net.LookupPort("tcp", port)
	if err != nil {
		return "", &net.AddrError{Err: "unknown port", Addr: port}
	}
	return net.JoinHostPort(host, strconv.Itoa(n)), nil
}

// RedactURL hides what stands before the @ of a URL: it may be a password.
func RedactURL(raw string) string {
	if i := strings.LastIndex(raw, "@"); i >= 0 {
		return "…" + raw[i:]
	}
	return raw
}
