package auth

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

// Option names a setting of this package, so that a program can tell its user which of its
// own settings to change.
type Option string

// The settings that an OptionError can be about.
const (
	OptionTokensFile Option = "tokens file" // LoadTokens

	OptionIssuer             Option = "issuer" // OIDCOptions
	OptionAudiences          Option = "audiences"
	OptionUsernameClaim      Option = "username claim"
	OptionGroupsClaim        Option = "groups claim"
	OptionUsernamePrefix     Option = "username prefix"
	OptionGroupsPrefix       Option = "groups prefix"
	OptionRequiredClaims     Option = "required claims"
	OptionAlgorithms         Option = "signing algorithms"
	OptionMaxLifetime        Option = "token lifetime"
	OptionClockSkew          Option = "clock skew"
	OptionJWKSMinInterval    Option = "interval between key fetches"
	OptionJWKSMaxAge         Option = "age of keys"
	OptionCAFile             Option = "issuer CA file"
	OptionDiscoveryTokenFile Option = "discovery token file"
	OptionJWKSFile           Option = "key file"

	OptionAPIURL       Option = "Kubernetes API URL" // KubernetesOptions
	OptionAPICAFile    Option = "Kubernetes CA file"
	OptionAPITokenFile Option = "Kubernetes token file"
	OptionAPIAudiences Option = "Kubernetes audiences"
)

// OptionError says what is wrong with one setting.
type OptionError struct {
	Option Option
	Value  string // the setting's value; empty if it is not set
	Err    error  // what is wrong, without the value
	Advice string // what to do about it; may be empty
}

// Error is "<option> <value>: <what is wrong>", without the advice.
func (e *OptionError) Error() string {
	value := e.Value
	if strings.ContainsAny(value, " \"\n") {
		value = strconv.Quote(value)
	}
	return strings.TrimSpace(string(e.Option)+" "+value) + ": " + e.Err.Error()
}

// Unwrap returns e.Err.
func (e *OptionError) Unwrap() error { return e.Err }

// OptionErrors returns all OptionErrors that err joins or wraps, in order. The constructors
// of this package return one for each mistake.
func OptionErrors(err error) []*OptionError {
	switch e := err.(type) {
	case *OptionError:
		return []*OptionError{e}
	case interface{ Unwrap() []error }:
		var all []*OptionError
		for _, inner := range e.Unwrap() {
			all = append(all, OptionErrors(inner)...)
		}
		return all
	case interface{ Unwrap() error }:
		return OptionErrors(e.Unwrap())
	}
	return nil
}

const (
	maxDocument    = 1 << 20  // bytes of a file, a discovery document or a key set
	maxBearerBytes = 64 << 10 // bytes of a file with one bearer token
)

// readFile returns the content of a file that option names, without a byte order mark.
func readFile(option Option, path string, rule safefile.Rule) ([]byte, error) {
	data, err := safefile.Read(path, rule)
	if err != nil {
		return nil, fileError(option, path, err)
	}
	if data, err = safefile.TrimBOM(data); err != nil {
		return nil, &OptionError{Option: option, Value: path, Err: err, Advice: safefile.AdviceUTF8}
	}
	return data, nil
}

// fileError makes an OptionError of an error of safefile.
func fileError(option Option, path string, err error) *OptionError {
	var file *safefile.Error
	if errors.As(err, &file) {
		return &OptionError{Option: option, Value: path, Err: file.Err, Advice: file.Advice}
	}
	return &OptionError{Option: option, Value: path, Err: err}
}

// readRoots reads a bundle of CA certificates. One without a certificate is an error: it must
// not end as the system's roots. digest tells whether the file has changed.
func readRoots(option Option, path string) (roots *x509.CertPool, digest [sha256.Size]byte, err error) {
	data, err := readFile(option, path, safefile.Rule{MaxBytes: maxDocument})
	if err != nil {
		return nil, digest, err
	}
	certificates, err := safefile.Certificates(path, data)
	if err != nil {
		return nil, digest, fileError(option, path, err)
	}
	roots = x509.NewCertPool()
	for i, certificate := range certificates {
		if key, ok := certificate.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < minRSABits {
			err := fmt.Errorf("certificate %d (%s): RSA key of %d bits, want at least %d",
				i+1, clip(certificate.Subject.String()), key.N.BitLen(), minRSABits)
			return nil, digest, &OptionError{Option: option, Value: path, Err: err,
				Advice: "issue the CA again with ECDSA, or RSA of 2048 bits or more"}
		}
		roots.AddCert(certificate)
	}
	return roots, sha256.Sum256(data), nil
}

// readBearer reads a file with one bearer token of the gate's own. Its mode may be o+r: the
// kubelet makes projected service account tokens 0644 in a pod without fsGroup whose
// containers run as several users.
func readBearer(option Option, path string) (string, error) {
	data, err := readFile(option, path, safefile.Rule{MaxBytes: maxBearerBytes})
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(data))
	if !isB64Token(token) {
		return "", &OptionError{
			Option: option,
			Value:  path,
			Err:    errors.New("not one bearer token (RFC 6750 section 2.1)"),
			Advice: "write the token into it, on one line, and nothing else",
		}
	}
	return token, nil
}
