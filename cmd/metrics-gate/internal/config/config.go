// Package config declares every METRICS_GATE_* variable once, loads and validates them,
// and says what is in effect. It reads no file but the runner's name and the names in the
// tokens file, and knows nothing of requests.
package config

import (
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
)

// Prefix begins the name of every variable.
const Prefix = "METRICS_GATE_"

// Config is every METRICS_GATE_* variable, declared once: env names it, envDefault
// is what it is when nobody thinks about it, oneof lists its values, zero permits 0, and read
// tells when a file is read again: reload (within 10 s of a change and on SIGHUP) or use.
// docs explains it. Help, the README's table and check are made from both.
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
	Address           ListenAddress `env:"LISTEN_ADDRESS" envDefault:":9253"`
	ReadHeaderTimeout time.Duration `env:"READ_HEADER_TIMEOUT" envDefault:"5s"`
	IdleTimeout       time.Duration `env:"IDLE_TIMEOUT" envDefault:"120s"`
	WriteTimeout      time.Duration `env:"WRITE_TIMEOUT" envDefault:"60s"`
	MaxHeaderBytes    int           `env:"MAX_HEADER_BYTES" envDefault:"16384"`
	MaxConnections    int           `env:"MAX_CONNECTIONS" envDefault:"256"`
	MaxPerAddress     int           `env:"MAX_CONNECTIONS_PER_ADDRESS" envDefault:"64"`
}

type Upstream struct {
	URL             UpstreamAddress `env:"UPSTREAM_URL" envDefault:"http://localhost:9252"`
	AllowRemote     bool            `env:"UPSTREAM_ALLOW_REMOTE" envDefault:"false"`
	Timeout         time.Duration   `env:"UPSTREAM_TIMEOUT" envDefault:"10s"`
	MaxBytes        int64           `env:"UPSTREAM_MAX_BYTES" envDefault:"67108864"`
	MaxLineBytes    int64           `env:"UPSTREAM_MAX_LINE_BYTES" envDefault:"1048576"`
	MaxMessageBytes int64           `env:"UPSTREAM_MAX_MESSAGE_BYTES" envDefault:"16777216"`
	MaxInFlight     int             `env:"MAX_IN_FLIGHT" envDefault:"16"`
	MaxSeconds      int             `env:"PPROF_MAX_SECONDS" envDefault:"30"`
	Cmdline         bool            `env:"PPROF_CMDLINE" envDefault:"false"`
	Compression     OnOff           `env:"COMPRESSION" envDefault:"on"`
}

type Label struct {
	RunnerName     string   `env:"RUNNER_NAME" default:"host name"`
	RunnerNameFile string   `env:"RUNNER_NAME_FILE" read:"reload"`
	Name           string   `env:"LABEL_NAME" envDefault:"runner_name"`
	Conflict       Conflict `env:"LABEL_CONFLICT" envDefault:"exported"`
	Constant       pairs    `env:"LABELS"`
}

type TLS struct {
	CertFile      string     `env:"TLS_CERT_FILE" read:"reload"`
	KeyFile       string     `env:"TLS_KEY_FILE" read:"reload"`
	ClientCAFile  string     `env:"TLS_CLIENT_CA_FILE" read:"reload"`
	ClientCRLFile string     `env:"TLS_CLIENT_CRL_FILE" read:"reload"`
	MinVersion    TLSVersion `env:"TLS_MIN_VERSION" envDefault:"1.3"`
	InsecureHTTP  bool       `env:"INSECURE_HTTP" envDefault:"false"`
}

// Issuer is one OpenID Connect issuer.
type Issuer struct {
	Prefix string // METRICS_GATE_OIDC_ or METRICS_GATE_OIDC_<n>_, for errors

	URL            string              `env:"ISSUER_URL"`
	Audience       []string            `env:"AUDIENCE"`
	UsernameClaim  string              `env:"USERNAME_CLAIM" envDefault:"sub"`
	GroupsClaim    string              `env:"GROUPS_CLAIM" envDefault:"groups"`
	UsernamePrefix string              `env:"USERNAME_PREFIX"`
	GroupsPrefix   string              `env:"GROUPS_PREFIX"`
	RequiredClaims auth.RequiredClaims `env:"REQUIRED_CLAIMS"`
	SigningAlgs    []string            `env:"SIGNING_ALGS" envDefault:"RS256,ES256"`
	MaxLifetime    time.Duration       `env:"MAX_TOKEN_LIFETIME" envDefault:"24h"`
	ClockSkew      time.Duration       `env:"CLOCK_SKEW" envDefault:"60s" zero:"ok"`
	MinInterval    time.Duration       `env:"JWKS_MIN_INTERVAL" envDefault:"10s"`
	MaxAge         time.Duration       `env:"JWKS_MAX_AGE" envDefault:"24h"`
	CAFile         string              `env:"CA_FILE" default:"system roots" read:"reload"`
	DiscoveryToken string              `env:"DISCOVERY_TOKEN_FILE" read:"use"`
	JWKSFile       string              `env:"JWKS_FILE" read:"reload"`
}

type Kubernetes struct {
	Auth      TokenReview  `env:"KUBERNETES_AUTH" envDefault:"off"`
	Audiences []string     `env:"KUBERNETES_AUDIENCES"`
	Authz     AccessReview `env:"KUBERNETES_AUTHZ" envDefault:"off"`
	APIURL    string       `env:"KUBERNETES_API_URL" default:"in-cluster"`
	CAFile    string       `env:"KUBERNETES_CA_FILE" default:"in-cluster" read:"use"`
	TokenFile string       `env:"KUBERNETES_TOKEN_FILE" default:"in-cluster" read:"use"`
}

type Allow struct {
	TokensFile string      `env:"TOKENS_FILE" read:"reload"`
	Metrics    auth.Policy `env:"METRICS_ALLOW" default:"none"`
	Pprof      auth.Policy `env:"PPROF_ALLOW" default:"none"`
}

type Limit struct {
	Rate         float64 `env:"RATE_LIMIT" envDefault:"10"`
	Burst        int     `env:"RATE_BURST" envDefault:"20"`
	FailureRate  float64 `env:"FAILURE_RATE_LIMIT" envDefault:"5"`
	FailureBurst int     `env:"FAILURE_BURST" envDefault:"20"`
}

type Process struct {
	AdminAddress AdminAddress  `env:"ADMIN_ADDRESS" envDefault:"localhost:9254"`
	LogLevel     string        `env:"LOG_LEVEL" envDefault:"info" oneof:"debug info warn error"`
	LogFormat    string        `env:"LOG_FORMAT" envDefault:"json" oneof:"json text"`
	AccessLog    OnOff         `env:"ACCESS_LOG" envDefault:"off"`
	DrainTimeout time.Duration `env:"DRAIN_TIMEOUT" envDefault:"30s"`
	Linger       time.Duration `env:"LINGER" envDefault:"0s" zero:"ok"`
}
