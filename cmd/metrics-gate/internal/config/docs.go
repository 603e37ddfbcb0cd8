package config

import "maps"

// docs explains each variable, by the name in its env tag. Help, the manual page and the
// README's table show it.
func docs() map[string]string {
	all := trafficDocs()
	maps.Copy(all, accessDocs())
	return all
}

// trafficDocs explains listeners, runner, label, limits and process.
func trafficDocs() map[string]string {
	return map[string]string{
		"LISTEN_ADDRESS": "public address, [host]:port; a bare number is a port, an IPv4 address " +
			"listens on IPv4 alone; systemd sockets replace it",
		"READ_HEADER_TIMEOUT":         "time for the TLS handshake, and for a request's header",
		"IDLE_TIMEOUT":                "time an idle connection is kept",
		"WRITE_TIMEOUT":               "time for a whole answer (a permitted profile is never cut by it)",
		"MAX_HEADER_BYTES":            "largest request header, in bytes",
		"MAX_CONNECTIONS":             "open connections; past it the oldest without an authorized request makes room",
		"MAX_CONNECTIONS_PER_ADDRESS": "open connections from one address",
		"UPSTREAM_URL": "the runner's listener: URL, host:port or host; loopback only, localhost " +
			"is 127.0.0.1",
		"UPSTREAM_ALLOW_REMOTE":      "permit an upstream that is not on loopback",
		"UPSTREAM_TIMEOUT":           "time for a whole scrape of the runner; the scraper's own time limit lowers it",
		"UPSTREAM_MAX_BYTES":         "largest exposition taken from the runner, in bytes",
		"UPSTREAM_MAX_LINE_BYTES":    "longest line, in bytes",
		"UPSTREAM_MAX_MESSAGE_BYTES": "longest protobuf message, which is a whole metric family, in bytes",
		"MAX_IN_FLIGHT":              "upstream exchanges at one time; one identity has at most half",
		"PPROF_MAX_SECONDS":          "longest profile, in seconds; a longer one is lowered to it",
		"PPROF_CMDLINE":              "forward /debug/pprof/cmdline too (it can show secrets)",
		"COMPRESSION":                "answer gzip or zstd when the scraper accepts it",
		"RUNNER_NAME":                "value of the injected label",
		"RUNNER_NAME_FILE":           "file with the value instead; read again when it changes",
		"LABEL_NAME":                 "name of the injected label",
		"LABEL_CONFLICT": "a sample already has the label: rename the old one exported_NAME, keep the " +
			"sample as it is, or override the value",
		"LABELS":             "further constant labels, k=v,k=\"v,w\": in double quotes a value can hold commas",
		"RATE_LIMIT":         "requests a second, for each authenticated identity",
		"RATE_BURST":         "requests at once, for each authenticated identity",
		"FAILURE_RATE_LIMIT": "failed authentications a second, for each IPv4 address or IPv6 /64",
		"FAILURE_BURST":      "failed authentications at once, for each IPv4 address or IPv6 /64",
		"ADMIN_ADDRESS":      "plain HTTP /livez and /readyz, on loopback also / and /metrics; off",
		"LOG_LEVEL":          "debug, info, warn or error",
		"LOG_FORMAT":         "json or text; where it is set to json, errors of commands are JSON lines too",
		"ACCESS_LOG":         "off or on: log each request, refused ones too",
		"DRAIN_TIMEOUT":      "after SIGTERM, time for requests in flight",
		"LINGER":             "after SIGTERM keep serving until the upstream closes its port, at most this long",
	}
}

// accessDocs explains TLS, authentication and authorization.
func accessDocs() map[string]string {
	return map[string]string{
		"TLS_CERT_FILE":       "server certificate chain (PEM)",
		"TLS_KEY_FILE":        "its key (PEM), not readable by others",
		"TLS_CLIENT_CA_FILE":  "turns client certificates on: required when alone, verified if given along with tokens",
		"TLS_CLIENT_CRL_FILE": "revocation lists (PEM or DER), asked on every request",
		"TLS_MIN_VERSION":     "1.2 permits TLS 1.2 with ECDHE AEAD suites",
		"INSECURE_HTTP":       "serve plain HTTP (inside a mesh)",
		"ISSUER_URL": "turns OIDC bearer tokens (JWT) on; more issuers as OIDC_1_ISSUER_URL, OIDC_2_… " +
			"with the same suffixes",
		"AUDIENCE":       "audiences, comma separated, one must match; required with an issuer",
		"USERNAME_CLAIM": "claim that names the user",
		"GROUPS_CLAIM":   "claim that lists the groups; dots lead into objects",
		"USERNAME_PREFIX": "put before user names, to tell sources apart; required with a second issuer or " +
			"Kubernetes, - for none",
		"GROUPS_PREFIX":        "put before group names; required as USERNAME_PREFIX is",
		"REQUIRED_CLAIMS":      "claims that every token must have, name=value, comma separated",
		"SIGNING_ALGS":         "accepted signature algorithms, asymmetric only",
		"MAX_TOKEN_LIFETIME":   "longest exp - iat of a token",
		"CLOCK_SKEW":           "leeway on exp, nbf and iat, at most 60s",
		"JWKS_MIN_INTERVAL":    "the issuer's keys are fetched at most once in this time",
		"JWKS_MAX_AGE":         "keys that could not be refreshed for so long stop counting",
		"CA_FILE":              "roots for the issuer's TLS (PEM)",
		"DISCOVERY_TOKEN_FILE": "file with a bearer token for the issuer's discovery and keys (Kubernetes)",
		"JWKS_FILE":            "the issuer's keys from a file: no network when tokens are verified",
		"KUBERNETES_AUTH":      "authenticate bearer tokens with the API server's TokenReview",
		"KUBERNETES_AUDIENCES": "audiences for TokenReview, comma separated",
		"KUBERNETES_AUTHZ": "also ask the API server whether the user may get the path, in addition to the " +
			"allow lists",
		"KUBERNETES_API_URL":    "API server",
		"KUBERNETES_CA_FILE":    "roots for the API server's TLS (PEM)",
		"KUBERNETES_TOKEN_FILE": "bearer token of the gate at the API server, read again when it changes",
		"TOKENS_FILE":           "static bearer tokens, a line each: NAME sha256:DIGEST (made by metrics-gate token)",
		"METRICS_ALLOW": "who may read /metrics and /gate/metrics: identity patterns, comma " +
			"separated; required",
		"PPROF_ALLOW": "who may use /debug/pprof/",
	}
}
