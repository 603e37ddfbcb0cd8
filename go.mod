module github.com/metrics-gate/metrics-gate

go 1.26.8

require (
	github.com/caarlos0/env/v11 v11.4.2 // settings from the environment, all mistakes at once
	github.com/coreos/go-oidc/v3 v3.21.0 // verifies OIDC tokens
	github.com/coreos/go-systemd/v22 v22.7.0 // sd_notify and socket activation
	github.com/go-chi/chi/v5 v5.5.0 // routes of the public listener; never chi/middleware
	github.com/go-jose/go-jose/v4 v4.1.8 // parses an issuer's public keys
	github.com/hashicorp/golang-lru/v2 v2.0.7 // bounded tables: verified tokens and verdicts, rate limiters
	github.com/klauspost/compress v1.20.3 // gzip and zstd answers
	github.com/prometheus/client_golang v1.25.0 // own metrics
	github.com/prometheus/client_model v0.6.3 // the status page reads own metrics; tests
	github.com/prometheus/common v0.73.1 // benchmarks: expfmt, with which the rewriter is compared
	github.com/rogpeppe/go-internal v1.16.0 // tests: scripts over the real program
	go.uber.org/goleak v1.3.0 // tests: no goroutine leaks
	golang.org/x/sys v0.49.0 // Windows: service, access control lists; Linux: the clock for sd_notify
	golang.org/x/time v0.16.0 // rate limits of requests and of log lines
	google.golang.org/protobuf v1.36.12 // tests: protobuf expositions
	maragu.dev/gomponents v1.2.0 // HTML of the status page, escaped, without reflection
)

require (
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/kylelemons/godebug v1.1.0 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/pandatix/go-abnf v0.5.3 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	golang.org/x/oauth2 v0.37.0 // indirect
	golang.org/x/tools v0.26.0 // indirect
)
