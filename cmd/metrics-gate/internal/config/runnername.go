package config

import (
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/proxy/exposition"
	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

// maxRunnerName bounds the file with the runner's name, in bytes.
const maxRunnerName = 4096

// runnerLabels are the labels that every sample gets; the runner's name may come from
// a file and change.
type runnerLabels struct {
	config  *Config
	name    atomic.Value // string: as it was read last
	Current atomic.Pointer[exposition.Labels]
}

// NewRunnerLabels reads the runner's name: the variable, the file, or the host name.
func NewRunnerLabels(c *Config) (*runnerLabels, error) {
	l := &runnerLabels{config: c}
	if _, err := l.Reload(); err != nil {
		return nil, err
	}
	return l, nil
}

// Name returns the runner's name in effect.
func (l *runnerLabels) Name() string {
	name, _ := l.name.Load().(string)
	return name
}

// Reload reads the name again; the old one stays on error.
func (l *runnerLabels) Reload() (changed bool, err error) {
	name, err := l.config.RunnerName()
	if err != nil || (l.Current.Load() != nil && name == l.Name()) {
		return false, err
	}
	labels, err := l.config.labels(name)
	if err != nil {
		return false, err
	}
	l.name.Store(name)
	l.Current.Store(labels)
	return true, nil
}

// RunnerName finds the value of the injected label.
func (c *Config) RunnerName() (string, error) {
	switch {
	case c.Label.RunnerNameFile != "":
		return readRunnerName(c.Label.RunnerNameFile)
	case c.Label.RunnerName != "":
		return c.Label.RunnerName, nil
	}
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "", &cli.ConfigError{Thing: Prefix + "RUNNER_NAME", Wrong: "not set, and the host has no name",
			Advice: "name the runner"}
	}
	return name, nil
}

func readRunnerName(path string) (string, error) {
	wrong := func(what, advice string) error {
		return &cli.ConfigError{Thing: Prefix + "RUNNER_NAME_FILE", Value: path, Wrong: what, Advice: advice}
	}
	// Public: the name admits nobody, and a downward API volume need not be strict.
	text, err := safefile.Read(path, safefile.Rule{MaxBytes: maxRunnerName, Public: true})
	var file *safefile.Error
	if errors.As(err, &file) {
		return "", &cli.ConfigError{Thing: Prefix + "RUNNER_NAME_FILE", Value: path, Wrong: file.Err.Error(),
			Advice: file.Advice, Err: file.Err}
	}
	if text, err = safefile.TrimBOM(text); err != nil {
		return "", wrong(err.Error(), safefile.AdviceUTF8)
	}
	name := strings.TrimSpace(string(text))
	switch {
	case name == "":
		return "", wrong("empty", "write the name of the runner into it")
	case !utf8.ValidString(name):
		return "", wrong("not UTF-8", safefile.AdviceUTF8)
	case strings.Contains(name, "\x00"): // no label can hold it
		return "", wrong("contains NUL", "write the name of the runner into it, and nothing else")
	}
	return name, nil
}
