package scrape

import (
	"sync"

	"github.com/metrics-gate/metrics-gate/proxy/exposition"
)

// formats remembers the last content type of the runner, which never changes.
type formats struct {
	mu   sync.Mutex
	last *known
}

// known is a content type, as a header has it, and what it means.
type known struct {
	header []string
	format *exposition.Format
}

func (f *formats) of(contentType string) (*known, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last != nil && f.last.header[0] == contentType {
		return f.last, nil
	}
	format, err := exposition.FormatOf(contentType)
	if err != nil {
		return nil, err
	}
	f.last = &known{[]string{contentType}, format}
	return f.last, nil
}

// Bounds of what accepts remembers.
const (
	acceptsKept  = 64
	acceptLength = 1024
)

// accepts remembers what exposition.Accept makes of an Accept header. Scrapers
// always send the same one.
type accepts struct {
	mu    sync.Mutex
	known map[string]string
}

func (a *accepts) of(header []string) string {
	if len(header) != 1 || len(header[0]) > acceptLength {
		return exposition.Accept(header)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if wish, ok := a.known[header[0]]; ok {
		return wish
	}
	if a.known == nil || len(a.known) == acceptsKept {
		a.known = make(map[string]string)
	}
	wish := exposition.Accept(header)
	a.known[header[0]] = wish
	return wish
}
