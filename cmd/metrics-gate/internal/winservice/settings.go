package winservice

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

// maxEnvFile bounds an environment file, in bytes.
const maxEnvFile = 1 << 20

// gateSettings returns the gate's variables of environ, "NAME=value" each.
func gateSettings(environ []string) []string {
	var list []string
	for _, entry := range environ {
		if strings.HasPrefix(entry, config.Prefix) {
			list = append(list, entry)
		}
	}
	return list
}

// readEnvFile returns the variables of the file at path, "NAME=value" each. A file that
// others can write is refused, because it decides who gets in. Every error is a *cli.ConfigError.
func readEnvFile(path string) ([]string, error) {
	content, err := safefile.Read(path, safefile.Rule{MaxBytes: maxEnvFile})
	if err != nil {
		refused := &cli.ConfigError{Thing: "--env-file", Value: path, Wrong: err.Error()}
		if e, ok := err.(*safefile.Error); ok {
			refused.Wrong, refused.Advice = e.Err.Error(), e.Advice
		}
		return nil, refused
	}
	return parseEnvFile(path, content)
}

// parseEnvFile reads a variable a line. Empty lines and lines that begin with # are
// comments. One pair of double quotes around a value is removed; a backslash is a
// backslash, as Windows paths need it.
func parseEnvFile(path string, content []byte) ([]string, error) {
	const byteOrderMark = "\ufeff" // PowerShell writes it
	content = bytes.TrimPrefix(content, []byte(byteOrderMark))
	var list []string
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" || strings.ContainsAny(line, "\x00") {
			return nil, &cli.ConfigError{
				Thing: "--env-file", Value: path, Wrong: fmt.Sprintf("line %d is no variable", number),
				Advice: "write NAME=value, or begin a comment with #",
			}
		}
		if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
			value = value[1 : len(value)-1]
		}
		list = append(list, name+"="+value)
	}
	return list, nil
}
