package manifest

import "regexp"

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
