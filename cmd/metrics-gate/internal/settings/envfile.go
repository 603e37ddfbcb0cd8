package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"runtime"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

// maxEnvFile bounds an environment file, in bytes.
const maxEnvFile = 1 << 20

// ReadFile returns the variables of an environment file, "NAME=value" each. On Windows the gate
// reads it itself: there a file that others may write is refused, because it decides who gets in.
// Elsewhere systemd reads it whatever its mode is. Every error is a *cli.ConfigError.
func ReadFile(path string) ([]string, error) {
	const windows = runtime.GOOS == "windows"
	content, err := safefile.Read(path, safefile.Rule{MaxBytes: maxEnvFile, Public: !windows})
	if err != nil {
		e := &cli.ConfigError{Thing: "environment file", Value: path, Wrong: err.Error()}
		if reason, ok := errors.AsType[*safefile.Error](err); ok {
			e.Wrong, e.Advice = reason.Err.Error(), reason.Advice
		}
		if errors.Is(err, fs.ErrPermission) {
			e.Advice = "run the command as root"
		}
		return nil, e
	}
	text, marked := strings.CutPrefix(string(content), "\ufeff")
	if marked && !windows {
		return nil, &cli.ConfigError{Thing: "environment file", Value: path,
			Wrong:  "begins with a byte order mark (BOM)",
			Advice: "save it as UTF-8 without BOM: systemd takes it for a part of the first name"}
	}
	list, wrong := parse(text, !windows)
	if wrong != nil {
		wrong.Thing, wrong.Value = "environment file", path
		return nil, wrong
	}
	return list, nil
}

// scanner reads an environment file.
type scanner struct {
	rest    string
	escapes bool // a backslash escapes; if not, it is a character, as Windows paths need it
	open    bool // a quote is not closed: the rest of the file was taken for the value
}

// parse reads the syntax of systemd's EnvironmentFile (systemd.exec(5)), because the packages'
// settings are such files. Libraries for .env files expand $ and end a value at a # in it; systemd
// does neither. A file without quotes and backslashes means the same to Docker. wrong names the
// first line with a gate's variable that systemd would ignore, or with a quote that is not closed.
func parse(text string, escapes bool) (list []string, wrong *cli.ConfigError) {
	name := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	s := scanner{rest: text, escapes: escapes}
	for {
		s.rest = strings.TrimLeft(s.rest, " \t\r\n")
		if s.rest == "" {
			return list, nil
		}
		if s.rest[0] == '#' || s.rest[0] == ';' {
			s.comment()
			continue
		}
		line, _, _ := strings.Cut(s.rest, "\n")
		key, value, assigned := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		if !assigned || !name.MatchString(key) {
			if strings.Contains(line, config.Prefix) {
				return nil, &cli.ConfigError{Wrong: "no NAME=value: " + key,
					Advice: "write NAME=value without export: systemd ignores everything else"}
			}
			if !assigned {
				s.rest = s.rest[len(line):]
				continue
			}
		}
		number := 1 + strings.Count(text[:len(text)-len(s.rest)], "\n")
		s.rest = s.rest[len(line)-len(value):]
		taken := s.value()
		if s.open {
			return nil, &cli.ConfigError{Wrong: fmt.Sprintf("line %d: the quote of %s is not closed", number, key),
				Advice: "close it: all that follows counts as its value"}
		}
		if name.MatchString(key) {
			list = append(list, key+"="+taken)
		}
	}
}

// comment skips a comment. A backslash before the end of its line carries it on.
func (s *scanner) comment() {
	for i := 0; i < len(s.rest); i++ {
		switch {
		case s.rest[i] == '\\' && s.escapes:
			i++
		case s.rest[i] == '\n':
			s.rest = s.rest[i:]
			return
		}
	}
	s.rest = ""
}

// value reads the parts of a value: quoted ones, and at the end perhaps a bare one.
func (s *scanner) value() (value string) {
	for {
		s.rest = strings.TrimLeft(s.rest, " \t")
		switch {
		case s.rest == "" || s.rest[0] == '\n' || s.rest[0] == '\r':
			return value
		case s.rest[0] == '\'':
			part, rest, closed := strings.Cut(s.rest[1:], "'")
			value, s.rest, s.open = value+part, rest, !closed
		case s.rest[0] == '"':
			value += s.quoted()
		default:
			return value + s.bare()
		}
	}
}

// quoted reads a part in double quotes. A backslash escapes " \ ` and $, joins lines, and is
// itself before everything else.
func (s *scanner) quoted() string {
	var part []byte
	for i := 1; i < len(s.rest); i++ {
		c := s.rest[i]
		if c == '"' {
			s.rest = s.rest[i+1:]
			return string(part)
		}
		if c == '\\' && s.escapes && i+1 < len(s.rest) {
			i++
			if s.rest[i] == '\n' {
				continue
			}
			if strings.IndexByte("\"\\`$", s.rest[i]) < 0 {
				part = append(part, c)
			}
			c = s.rest[i]
		}
		part = append(part, c)
	}
	s.rest, s.open = "", true
	return string(part)
}

// bare reads to the end of the line, without the blanks there. A backslash escapes what follows,
// and joins lines.
func (s *scanner) bare() string {
	var part []byte
	keep, i := 0, 0 // keep: the length without blanks at the end
	for ; i < len(s.rest) && s.rest[i] != '\n' && s.rest[i] != '\r'; i++ {
		c := s.rest[i]
		escaped := c == '\\' && s.escapes && i+1 < len(s.rest)
		if escaped {
			i++
			if c = s.rest[i]; c == '\n' {
				continue
			}
		}
		part = append(part, c)
		if escaped || (c != ' ' && c != '\t') {
			keep = len(part)
		}
	}
	s.rest = s.rest[i:]
	return string(part[:keep])
}
