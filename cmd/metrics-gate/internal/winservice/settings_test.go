package winservice

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

func TestGateSettings(t *testing.T) {
	got := gateSettings([]string{"Path=C:\\", "METRICS_GATE_RUNNER_NAME=a", "METRICS_GATE=x", "METRICS_GATE_LINGER=1s"})
	if want := []string{"METRICS_GATE_RUNNER_NAME=a", "METRICS_GATE_LINGER=1s"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestParseEnvFile(t *testing.T) {
	for name, test := range map[string]struct {
		content string
		want    []string
		refused bool
	}{
		"nothing":          {"", nil, false},
		"comments":         {"# a\r\n\r\n  # b\n", nil, false},
		"byte order mark":  {"\ufeffA=1\r\nB=2\r\n", []string{"A=1", "B=2"}, false},
		"a Windows path":   {`A=C:\new\tls.crt`, []string{`A=C:\new\tls.crt`}, false},
		"quotes":           {`A="C:\Program Files\x"`, []string{`A=C:\Program Files\x`}, false},
		"one quote":        {`A="`, []string{`A="`}, false},
		"spaces":           {" A = b c \n", []string{"A=b c"}, false},
		"an equals sign":   {"A=uri:x?y=z", []string{"A=uri:x?y=z"}, false},
		"an empty value":   {"A=", []string{"A="}, false},
		"no equals sign":   {"A=1\nB\n", nil, true},
		"no name":          {"=1\n", nil, true},
		"a NUL in a value": {"A=1\x002\n", nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseEnvFile("x.env", []byte(test.content))
			var refused *cli.ConfigError
			if errors.As(err, &refused) != test.refused || !slices.Equal(got, test.want) {
				t.Errorf("%q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestReadEnvFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gate.env")
	var refused *cli.ConfigError
	if _, err := readEnvFile(path); !errors.As(err, &refused) || refused.Value != path {
		t.Errorf("a missing file: %v", err)
	}
	if err := os.WriteFile(path, []byte("A=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := readEnvFile(path); err != nil || !slices.Equal(got, []string{"A=1"}) {
		t.Errorf("%q, %v", got, err)
	}
}
