package auth

import (
	"errors"
	"fmt"
	"strings"
)

// element is one element of a comma-separated list.
type element struct {
	text   string
	quoted bool
	err    error // the quotes are wrong; text is the element as written
}

// splitList splits a comma-separated list. Space around an element is dropped. An element in
// double quotes can hold commas; in it \" stands for a quote and \\ for a backslash.
func splitList(list string) []element {
	var elements []element
	for {
		list = strings.TrimLeft(list, " \t\r\n")
		var e element
		if strings.HasPrefix(list, `"`) {
			e, list = cutQuoted(list)
		} else {
			e, list = cutPlain(list)
		}
		elements = append(elements, e)
		if list == "" {
			return elements
		}
		list = list[1:] // the comma
	}
}

// cutPlain cuts an element without quotes from list; rest is empty or begins with a comma.
func cutPlain(list string) (e element, rest string) {
	end := strings.IndexByte(list, ',')
	if end < 0 {
		end = len(list)
	}
	e.text = strings.TrimSpace(list[:end])
	if strings.Contains(e.text, `"`) {
		e.err = errors.New(
			`a double quote inside; put the whole of it in quotes, as in "group:a,b", and write \" for a quote`,
		)
	}
	return e, list[end:]
}

// cutQuoted cuts an element that begins with a quote from list.
func cutQuoted(list string) (e element, rest string) {
	var text strings.Builder
	for i := 1; i < len(list); i++ {
		switch c := list[i]; {
		case c == '\\' && i+1 < len(list) && (list[i+1] == '"' || list[i+1] == '\\'):
			i++
			text.WriteByte(list[i])
		case c == '\\':
			e.err = errors.New(`a backslash in quotes is followed by neither " nor \; write \\ for a backslash`)
		case c == '"':
			rest = strings.TrimLeft(list[i+1:], " \t\r\n")
			e.text, e.quoted = text.String(), true
			if rest != "" && rest[0] != ',' {
				var more element
				more, rest = cutPlain(rest)
				e.err = fmt.Errorf("%q after the closing quote; write a comma between", more.text)
			}
			return e, rest
		default:
			text.WriteByte(c)
		}
	}
	return element{text: list, err: errors.New("no closing quote")}, ""
}

// quoteElement returns text as splitList reads it back.
func quoteElement(text string) string {
	if text != "" && !strings.ContainsAny(text, `,"`) && strings.TrimSpace(text) == text {
		return text
	}
	return inQuotes(text)
}

func inQuotes(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
