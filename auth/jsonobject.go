package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deeply arrays and objects may nest.
const maxDepth = 16

// errJSON is the error of parseObject; it must show nothing of the input.
var errJSON = errors.New("not one JSON object with unique names in valid UTF-8")

// object is a JSON object. Its values are object, []any, string, json.Number,
// bool and nil.
type object = map[string]any

// parseObject decodes data, which must be exactly one JSON object. Unlike encoding/json it
// refuses two members of one name, at any depth: RFC 7519 section 4 lets parsers differ
// there, and an attacker could use the difference.
func parseObject(data []byte) (object, error) {
	if !utf8.Valid(data) || !json.Valid(data) {
		return nil, errJSON
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	value, err := parseValue(dec, maxDepth)
	if err != nil {
		return nil, errJSON
	}
	obj, ok := value.(object)
	if _, err := dec.Token(); !ok || err != io.EOF {
		return nil, errJSON
	}
	return obj, nil
}

func parseValue(dec *json.Decoder, depth int) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	switch {
	case !ok:
		return token, nil
	case depth == 0:
		return nil, errJSON
	case delim == '{':
		return parseMembers(dec, depth-1)
	case delim == '[':
		return parseElements(dec, depth-1)
	}
	return nil, errJSON
}

func parseMembers(dec *json.Decoder, depth int) (object, error) {
	obj := object{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if _, twice := obj[name]; !ok || twice {
			return nil, errJSON
		}
		if obj[name], err = parseValue(dec, depth); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return obj, err
}

func parseElements(dec *json.Decoder, depth int) ([]any, error) {
	elements := []any{}
	for dec.More() {
		value, err := parseValue(dec, depth)
		if err != nil {
			return nil, err
		}
		elements = append(elements, value)
	}
	_, err := dec.Token()
	return elements, err
}

// hasFolded reports whether obj has a name that differs from one of names in case only:
// encoding/json and much other software take them for the same.
func hasFolded(obj object, names ...string) bool {
	for member := range obj {
		for _, name := range names {
			if member != name && strings.EqualFold(member, name) {
				return true
			}
		}
	}
	return false
}

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
