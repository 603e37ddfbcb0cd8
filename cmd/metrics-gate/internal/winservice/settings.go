package winservice

import (
	"path/filepath"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/settings"
)

// settingsOf returns the variables of the file at envFile, or without a file the gate's of
// environ, "NAME=value" each. The path of the file comes back absolute: a service starts in the
// system's folder.
func settingsOf(environ []string, envFile string) (list []string, path string, err error) {
	if envFile == "" {
		for _, entry := range environ {
			if strings.HasPrefix(entry, config.Prefix) {
				list = append(list, entry)
			}
		}
		return list, "", nil
	}
	if path, err = filepath.Abs(envFile); err != nil {
		return nil, "", &cli.ConfigError{Thing: "--env-file", Value: envFile, Wrong: err.Error()}
	}
	list, err = settings.ReadFile(path)
	return list, path, err
}
