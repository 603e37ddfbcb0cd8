package config

// good is the smallest environment that validates, with files that need not exist.
func good(more ...string) []string {
	return append([]string{
		"METRICS_GATE_TLS_CERT_FILE=/etc/gate/tls.crt",
		"METRICS_GATE_TLS_KEY_FILE=/etc/gate/tls.key",
		"METRICS_GATE_TLS_CLIENT_CA_FILE=/etc/gate/ca.crt",
		"METRICS_GATE_METRICS_ALLOW=dns:prometheus.example.com",
	}, more...)
}
