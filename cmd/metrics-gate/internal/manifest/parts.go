package manifest

import "regexp"

// authenticates is a comment that says how.
func (v view) authenticates() string {
	switch v.Way {
	case byCertificate:
		return "# Prometheus authenticates by client certificate."
	case byToken:
		return "# Prometheus authenticates by static bearer token."
	case byOAuth2:
		return "# Prometheus authenticates by OAuth2 client credentials."
	}
	return "# Prometheus authenticates by the projected token of its ServiceAccount."
}

// prerequisites is a comment that says what monitors need in their namespace.
func (v view) prerequisites() string {
	if v.Way == byServiceAccount {
		return "# A monitor cannot name the token's file: the class metrics-gate-bearer does, which is in\n" +
			"# deploy/k8s/prometheus-operator/scrapeclass-prometheus.yaml, with TLS: tlsConfig would win."
	}
	there := "# In the monitors' namespace is"
	if v.TLS {
		there = "# The ConfigMap metrics-gate-ca (key ca.crt) is in the monitors' namespace, as is"
	}
	keys := map[way]string{
		byCertificate: "(keys tls.crt and tls.key).", byToken: "(key token).",
		byOAuth2: "(keys client-id and client-secret).",
	}[v.Way]
	return there + "\n# the Secret " + quote(v.Secret) + " " + keys
}

// labels are those of a monitor; none if there are none.
func (v view) labels() string {
	if len(v.Labels) == 0 {
		return ""
	}
	return "labels:\n" + indent(2, labels(v.Labels))
}

// scrapeClass is the class of a monitor that cannot name its token.
func (v view) scrapeClass() string {
	if v.Way == byServiceAccount {
		return "scrapeClass: metrics-gate-bearer"
	}
	return ""
}

// guessed is the comment of a TokenURL that nobody gave.
const guessed = "  # A guess: it is token_endpoint in the provider's /.well-known/openid-configuration."

// credentials are TLS and authentication of a monitor of prometheus-operator. What the Secrets
// hold, they name.
func (v view) credentials() string {
	if v.Way == byServiceAccount {
		return "" // the class has them
	}
	secret := quote(v.Secret)
	var l lines
	if v.TLS {
		l.add("tlsConfig:")
		if v.ServerName != "" {
			l.add("  serverName: " + quote(v.ServerName))
		}
		l.add("  ca: {configMap: {name: metrics-gate-ca, key: ca.crt}}")
		if v.Way == byCertificate {
			l.add("  cert: {secret: {name: "+secret+", key: tls.crt}}",
				"  keySecret: {name: "+secret+", key: tls.key}")
		}
	}
	switch v.Way {
	case byToken:
		l.add("authorization:", "  credentials: {name: "+secret+", key: token}")
	case byOAuth2:
		l.add("oauth2:")
		if v.TokenURLGuess {
			l.add(guessed)
		}
		l.add("  tokenUrl: "+quote(v.TokenURL),
			"  clientId: {secret: {name: "+secret+", key: client-id}}",
			"  clientSecret: {name: "+secret+", key: client-secret}",
			"  endpointParams: {audience: "+quote(v.Audience)+"}")
	}
	return l.String()
}

// fileCredentials are TLS and authentication of a job in prometheus.yml. Secrets are in files.
func (v view) fileCredentials() string {
	var l lines
	if v.TLS {
		l.add("tls_config:")
		if v.ServerName != "" {
			l.add("  server_name: " + quote(v.ServerName))
		}
		l.add("  ca_file: " + quote(v.Files.CA))
		if v.Way == byCertificate {
			l.add("  cert_file: "+quote(v.Files.Cert), "  key_file: "+quote(v.Files.Key))
		}
	}
	switch v.Way {
	case byToken, byServiceAccount:
		l.add("authorization:", "  credentials_file: "+quote(v.Files.TokenFile)+" # read again on every scrape")
	case byOAuth2:
		l.add("oauth2:", "  client_id: "+quote(v.ClientID), "  client_secret_file: "+quote(v.ClientSecretFile))
		if v.TokenURLGuess {
			l.add(guessed)
		}
		l.add("  token_url: "+quote(v.TokenURL), "  endpoint_params: {audience: "+quote(v.Audience)+"}")
	}
	return l.String()
}

// keepRunnerPods are the relabelings that keep the runners' pods.
func (v view) keepRunnerPods() string {
	var l lines
	for _, pod := range v.RunnerPods {
		l.add("- source_labels: [__meta_kubernetes_pod_label_"+identifier(pod.Name)+"]",
			"  action: keep",
			"  regex: "+quote(regexp.QuoteMeta(pod.Value)))
	}
	return l.String()
}
