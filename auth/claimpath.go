package auth

import (
	"errors"
	"slices"
	"strings"
)

// errAmbiguous is the error of a claim that a dotted path finds twice.
var errAmbiguous = errors.New("token has a configured claim more than once, or with other case")

// validClaimPath reports whether no part of the dotted path is empty.
func validClaimPath(path string) bool {
	return !slices.Contains(strings.Split(path, "."), "")
}

// lookup returns the claim at a dotted path. Claim names can contain dots
// themselves ("kubernetes.io", "https://example.com/groups"), so a path may be
// read in several ways; a token in which more than one of them leads to a value
// is refused, for its author may not be who chose the path.
func lookup(obj object, path string) (value any, found bool, err error) {
	for end := range len(path) + 1 {
		if end < len(path) && path[end] != '.' {
			continue
		}
		name := path[:end]
		if hasFolded(obj, name) {
			return nil, false, errAmbiguous
		}
		member, there := obj[name]
		if !there {
			continue
		}
		if end < len(path) {
			nested, ok := member.(object)
			if !ok {
				continue
			}
			if member, there, err = lookup(nested, path[end+1:]); err != nil {
				return nil, false, err
			}
		}
		if there && found {
			return nil, false, errAmbiguous
		}
		if there {
			value, found = member, true
		}
	}
	return value, found, nil
}
