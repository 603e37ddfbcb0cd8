package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// ConfigError is an error in the configuration or in the use of a command. It prints as
// "thing value: what is wrong", with each entry of a list and the advice on a line of its own.
type ConfigError struct {
	Thing  string // the variable, file or argument
	Value  string // what it is now; empty if not set
	Wrong  string
	List   []string // what Wrong speaks of, a line each; may be empty
	Advice string   // what to write instead; may be empty
	Err    error    // the cause, of which Wrong speaks; may be nil
}

// Unwrap returns m.Err.
func (m *ConfigError) Unwrap() error { return m.Err }

// Error gives the fact without the list and the advice.
func (m *ConfigError) Error() string {
	if m.Value == "" {
		return HideTokens(m.Thing + ": " + m.Wrong)
	}
	return HideTokens(fmt.Sprintf("%s %q: %s", m.Thing, HideToken(m.Value), m.Wrong))
}

// ConfigErrors collects errors, one a thing: the first one found stands.
type ConfigErrors struct {
	things []string
	list   []error
}

// Add keeps m unless its thing has an error already.
func (l *ConfigErrors) Add(m *ConfigError) {
	if l.Has(m.Thing) {
		return
	}
	l.things = append(l.things, m.Thing)
	l.list = append(l.list, m)
}

// Has tells whether thing has an error, or is covered.
func (l *ConfigErrors) Has(thing string) bool { return slices.Contains(l.things, thing) }

// Cover keeps further errors of thing out: they follow from an error of another thing.
func (l *ConfigErrors) Cover(thing string) { l.things = append(l.things, thing) }

// Join adds every error that err joins; nil adds nothing.
func (l *ConfigErrors) Join(err error) {
	switch e := err.(type) {
	case nil:
	case *ConfigError:
		l.Add(e)
	case *joinedErrors:
		for _, one := range e.list {
			l.Join(one)
		}
		l.things = append(l.things, e.things...)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			l.Join(one)
		}
	default:
		l.list = append(l.list, err)
	}
}

// Err joins the errors; nil if there are none. Another ConfigErrors that joins the result has its
// covered things too.
func (l *ConfigErrors) Err() error {
	if len(l.list) == 0 {
		return nil
	}
	return &joinedErrors{error: errors.Join(l.list...), list: l.list, things: l.things}
}

// joinedErrors are the errors of a ConfigErrors.
type joinedErrors struct {
	error
	list   []error
	things []string // with errors or covered
}

// Unwrap returns the errors.
func (e *joinedErrors) Unwrap() []error { return e.list }

// Reason is err without the path, which the ConfigError already names.
func Reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
