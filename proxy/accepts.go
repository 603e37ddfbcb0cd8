package proxy

import (
	"sync"

	"github.com/metrics-gate/metrics-gate/proxy/exposition"
)

// formats remembers the last content type of the runner, which never changes.
type formats struct {
	mu          sync.Mutex
	contentType string
	format      *exposition.Format
}

func (f *formats) of(contentType string) (*exposition.Format, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.format != nil && f.contentType == contentType {
		return f.format, nil
	}
	format, err := exposition.FormatOf(contentType)
	if err == nil {
		f.contentType, f.format = contentType, format
	}
	return format, err
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
