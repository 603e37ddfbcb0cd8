// Package config declares every METRICS_GATE_* variable once, loads and validates them,
// and says what is in effect. It reads no file but the runner's name and the names in the
// tokens file, and knows nothing of requests.
package config

import "time"

// Prefix begins the name of every variable.
const Prefix = "METRICS_GATE_"

// Config is every METRICS_GATE_* variable, declared once: env names it, envDefault
// is what it is when nobody thinks about it, doc explains it (help, the README's table
// and check are made from these tags), oneof lists its values, and zero permits 0.
type Config struct {
	Listen     Listen
	Upstream   Upstream
	Label      Label
	TLS        TLS
	OIDC       []Issuer // OIDC_, then OIDC_1_, OIDC_2_, … as far as they are set
	Kubernetes Kubernetes
	Allow      Allow
	Limit      Limit
	Process    Process

	InCluster string // the API server's URL as a pod is told it; empty outside of pods
}

// group is one struct of config, with what stands before the names of its variables.
type group struct {
	prefix string
	ptr    any
}

// groups lists the structs of c in the order of the documentation.
func (c *Config) groups() []group {
	list := []group{
		{Prefix, &c.Listen}, {Prefix, &c.Upstream}, {Prefix, &c.Label}, {Prefix, &c.TLS}, {Prefix, &c.Allow},
	}
	for i := range c.OIDC {
		list = append(list, group{c.OIDC[i].Prefix, &c.OIDC[i]})
	}
	return append(list, group{Prefix, &c.Kubernetes}, group{Prefix, &c.Limit}, group{Prefix, &c.Process})
}

type Listen struct {
	Address           string        `env:"LISTEN_ADDRESS" envDefault:":9253" doc:"public address, [host]:port; a systemd socket replaces it"`
	ReadHeaderTimeout time.Duration `env:"READ_HEADER_TIMEOUT" envDefault:"5s" doc:"time for the TLS handshake, and for a request's header"`
	IdleTimeout       time.Duration `env:"IDLE_TIMEOUT" envDefault:"120s" doc:"time an idle connection is kept"`
	WriteTimeout      time.Duration `env:"WRITE_TIMEOUT" envDefault:"60s" doc:"time for a whole answer (a permitted profile is never cut by it)"`
	MaxHeaderBytes    int           `env:"MAX_HEADER_BYTES" envDefault:"16384" doc:"largest request header, in bytes"`
	MaxConnections    int           `env:"MAX_CONNECTIONS" envDefault:"256" doc:"open connections; past it the oldest that has proven nothing makes room"`
	MaxPerAddress     int           `env:"MAX_CONNECTIONS_PER_ADDRESS" envDefault:"64" doc:"open connections from one address"`
}

type Upstream struct {
	URL          string        `env:"UPSTREAM_URL" envDefault:"http://localhost:9252" doc:"the runner's listener: URL, host:port or host; loopback only, localhost is 127.0.0.1"`
	AllowRemote  bool          `env:"UPSTREAM_ALLOW_REMOTE" envDefault:"false" doc:"permit an upstream that is not on loopback"`
	Timeout      time.Duration `env:"UPSTREAM_TIMEOUT" envDefault:"10s" doc:"time for a whole scrape of the runner; the scraper's own time limit lowers it"`
	MaxBytes     int64         `env:"UPSTREAM_MAX_BYTES" envDefault:"67108864" doc:"largest exposition taken from the runner, in bytes"`
	MaxLineBytes int64         `env:"UPSTREAM_MAX_LINE_BYTES" envDefault:"1048576" doc:"longest line, or protobuf message, in bytes"`
	MaxInFlight  int           `env:"MAX_IN_FLIGHT" envDefault:"16" doc:"upstream exchanges at one time; one identity has at most half"`
	MaxSeconds   int           `env:"PPROF_MAX_SECONDS" envDefault:"30" doc:"longest profile, in seconds; a longer one is lowered to it"`
	Cmdline      bool          `env:"PPROF_CMDLINE" envDefault:"false" doc:"forward /debug/pprof/cmdline too (it can show secrets)"`
	Compression  string        `env:"COMPRESSION" envDefault:"on" oneof:"on off" doc:"answer gzip or zstd when the scraper accepts it"`
}

type Label struct {
	RunnerName     string `env:"RUNNER_NAME" default:"host name" doc:"value of the injected label"`
	RunnerNameFile string `env:"RUNNER_NAME_FILE" doc:"file with the value instead; read again when it changes"`
	Name           string `env:"LABEL_NAME" envDefault:"runner_name" doc:"name of the injected label"`
	Conflict       string `env:"LABEL_CONFLICT" envDefault:"exported" oneof:"exported keep override" doc:"a sample already bears the label: rename the old one exported_NAME, keep the sample as it is, or override the value"`
	Constant       pairs  `env:"LABELS" doc:"further constant labels, k=v,k=v"`
}

type TLS struct {
	CertFile      string `env:"TLS_CERT_FILE" doc:"server certificate chain (PEM)"`
	KeyFile       string `env:"TLS_KEY_FILE" doc:"its key (PEM), not readable by others"`
	ClientCAFile  string `env:"TLS_CLIENT_CA_FILE" doc:"turns client certificates on: required when alone, verified if given beside tokens"`
	ClientCRLFile string `env:"TLS_CLIENT_CRL_FILE" doc:"revocation lists (PEM or DER), asked on every request"`
	MinVersion    string `env:"TLS_MIN_VERSION" envDefault:"1.3" oneof:"1.2 1.3" doc:"1.2 permits TLS 1.2 with ECDHE AEAD suites"`
	InsecureHTTP  bool   `env:"INSECURE_HTTP" envDefault:"false" doc:"serve plain HTTP (inside a mesh)"`
}

// Issuer is one OpenID Connect issuer.
type Issuer struct {
	Prefix string // METRICS_GATE_OIDC_ or METRICS_GATE_OIDC_<n>_, for errors

	URL            string        `env:"ISSUER_URL" doc:"turns OIDC bearer tokens (JWT) on; more issuers as OIDC_1_ISSUER_URL, OIDC_2_… with the same suffixes"`
	Audience       []string      `env:"AUDIENCE" doc:"audiences, comma separated, one must match; required with an issuer"`
	UsernameClaim  string        `env:"USERNAME_CLAIM" envDefault:"sub" doc:"claim that names the user"`
	GroupsClaim    string        `env:"GROUPS_CLAIM" envDefault:"groups" doc:"claim that lists the groups; dots lead into objects"`
	UsernamePrefix string        `env:"USERNAME_PREFIX" doc:"put before user names, to tell issuers apart"`
	GroupsPrefix   string        `env:"GROUPS_PREFIX" doc:"put before group names"`
	SigningAlgs    []string      `env:"SIGNING_ALGS" envDefault:"RS256,ES256" doc:"accepted signature algorithms, asymmetric only"`
	MaxLifetime    time.Duration `env:"MAX_TOKEN_LIFETIME" envDefault:"24h" doc:"longest exp - iat of a token"`
	ClockSkew      time.Duration `env:"CLOCK_SKEW" envDefault:"60s" zero:"ok" doc:"leeway on exp, nbf and iat, at most 60s"`
	MinInterval    time.Duration `env:"JWKS_MIN_INTERVAL" envDefault:"10s" doc:"the issuer's keys are never fetched oftener"`
	MaxAge         time.Duration `env:"JWKS_MAX_AGE" envDefault:"24h" doc:"keys that could not be refreshed for so long stop counting"`
	CAFile         string        `env:"CA_FILE" default:"system roots" doc:"roots for the issuer's TLS (PEM)"`
	DiscoveryToken string        `env:"DISCOVERY_TOKEN_FILE" doc:"file with a bearer token for the issuer's discovery and keys (Kubernetes)"`
	JWKSFile       string        `env:"JWKS_FILE" doc:"the issuer's keys from a file: no network when tokens are verified"`
}

type Kubernetes struct {
	Auth      string   `env:"KUBERNETES_AUTH" envDefault:"off" oneof:"off tokenreview" doc:"authenticate bearer tokens with the API server's TokenReview"`
	Audiences []string `env:"KUBERNETES_AUDIENCES" doc:"audiences for TokenReview, comma separated"`
	Authz     string   `env:"KUBERNETES_AUTHZ" envDefault:"off" oneof:"off subjectaccessreview" doc:"also ask the API server whether the user may get the path, beside the allow lists"`
	APIURL    string   `env:"KUBERNETES_API_URL" default:"in-cluster" doc:"API server"`
	CAFile    string   `env:"KUBERNETES_CA_FILE" default:"in-cluster" doc:"roots for the API server's TLS (PEM)"`
	TokenFile string   `env:"KUBERNETES_TOKEN_FILE" default:"in-cluster" doc:"bearer token of the gate at the API server, read again when it changes"`
}

type Allow struct {
	TokensFile string `env:"TOKENS_FILE" doc:"static bearer tokens, a line each: NAME sha256:DIGEST (made by metrics-gate token)"`
	Metrics    string `env:"METRICS_ALLOW" default:"none" doc:"who may read /metrics and /gate/metrics: identity patterns, comma separated; required"`
	Pprof      string `env:"PPROF_ALLOW" default:"none" doc:"who may use /debug/pprof/"`
}

type Limit struct {
	Rate         float64 `env:"RATE_LIMIT" envDefault:"10" doc:"requests a second, for each authenticated identity"`
	Burst        int     `env:"RATE_BURST" envDefault:"20" doc:"requests at once, for each authenticated identity"`
	FailureRate  float64 `env:"FAILURE_RATE_LIMIT" envDefault:"5" doc:"failed authentications a second, for each IPv4 address or IPv6 /64"`
	FailureBurst int     `env:"FAILURE_BURST" envDefault:"20" doc:"failed authentications at once, for each IPv4 address or IPv6 /64"`
}

type Process struct {
	AdminAddress string        `env:"ADMIN_ADDRESS" envDefault:"localhost:9254" doc:"plain HTTP /livez and /readyz, on loopback also / and /metrics; off"`
	LogLevel     string        `env:"LOG_LEVEL" envDefault:"info" oneof:"debug info warn error" doc:"debug, info, warn or error"`
	LogFormat    string        `env:"LOG_FORMAT" envDefault:"json" oneof:"json text" doc:"json or text"`
	DrainTimeout time.Duration `env:"DRAIN_TIMEOUT" envDefault:"30s" doc:"after SIGTERM, time for requests in flight"`
	Linger       time.Duration `env:"LINGER" envDefault:"0s" zero:"ok" doc:"after SIGTERM keep serving until the upstream closes its port, at most so long"`
}
