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

// lookup returns the claim at a dotted path. Claim names can contain dots themselves
// ("kubernetes.io", "https://example.com/groups"), so there are several ways to read a path.
// A token with a value at more than one of them is refused: its author may have added one.
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

// leftOut reports whether the issuer says that the claim at path is not in the token but
// elsewhere: by _claim_names (OpenID Connect Core section 5.6.2), or by the hasgroups of
// Microsoft Entra ID.
func leftOut(claims object, path string) bool {
	names, _ := claims["_claim_names"].(object)
	for end := range len(path) + 1 {
		if end < len(path) && path[end] != '.' {
			continue
		}
		if _, there := names[path[:end]]; there {
			return true
		}
	}
	return path == "groups" && claims["hasgroups"] == true
}
