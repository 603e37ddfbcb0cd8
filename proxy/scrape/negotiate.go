package scrape

import (
	"strconv"
	"strings"
	"sync"

	"github.com/metrics-gate/metrics-gate/proxy/exposition"
)

// formatCache holds the runner's last content type, which hardly ever changes.
type formatCache struct {
	mu   sync.Mutex
	last *parsedFormat
}

// parsedFormat is a content type, as a header value, and its format.
type parsedFormat struct {
	header []string
	format *exposition.Format
}

func (f *formatCache) of(contentType string) (*parsedFormat, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last != nil && f.last.header[0] == contentType {
		return f.last, nil
	}
	format, err := exposition.FormatOf(contentType)
	if err != nil {
		return nil, err
	}
	f.last = &parsedFormat{[]string{contentType}, format}
	return f.last, nil
}

// Limits of acceptCache.
const (
	maxAccepts     = 64
	maxAcceptBytes = 1024
)

// acceptCache holds what exposition.Accept returns for an Accept header. A scraper always
// sends the same one.
type acceptCache struct {
	mu       sync.Mutex
	filtered map[string]string
}

func (a *acceptCache) of(header []string) string {
	if len(header) != 1 || len(header[0]) > maxAcceptBytes {
		return exposition.Accept(header)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if accept, ok := a.filtered[header[0]]; ok {
		return accept
	}
	if a.filtered == nil || len(a.filtered) == maxAccepts {
		a.filtered = make(map[string]string)
	}
	accept := exposition.Accept(header)
	a.filtered[header[0]] = accept
	return accept
}

// encoding is the content coding of an answer.
type encoding uint8

const (
	encodingIdentity encoding = iota
	encodingZstd
	encodingGzip
	encodings // how many there are
)

func (e encoding) String() string { return [encodings]string{"identity", "zstd", "gzip"}[e] }

// negotiate chooses the encoding of an answer from the fields of Accept-Encoding
// (RFC 9110 section 12.5.3): the greatest weight wins, then zstd, gzip, identity in this
// order. The wildcard stands for gzip, which every client can read. If no encoding is
// acceptable, the answer is not encoded.
func negotiate(fields []string) encoding {
	if len(fields) == 1 {
		switch fields[0] { // common
		case "gzip":
			return encodingGzip
		case "identity":
			return encodingIdentity
		}
	}
	weights := [encodings]float64{-1, -1, -1}
	wildcard := -1.0
	for _, field := range fields {
		for part := range strings.SplitSeq(field, ",") {
			name, weight, ok := coding(part)
			switch {
			case !ok:
			case name == "*":
				wildcard = weight
			case name == "gzip" || name == "x-gzip":
				weights[encodingGzip] = weight
			case name == "zstd":
				weights[encodingZstd] = weight
			case name == "identity":
				weights[encodingIdentity] = weight
			}
		}
	}
	if weights[encodingGzip] < 0 {
		weights[encodingGzip] = wildcard
	}
	best := encodingIdentity
	for _, e := range [...]encoding{encodingZstd, encodingGzip} {
		tie := best == encodingIdentity && weights[e] == weights[best]
		if weights[e] > 0 && (weights[e] > weights[best] || tie) {
			best = e
		}
	}
	return best
}

// coding parses one element of Accept-Encoding. It is not ok if its weight is malformed.
func coding(part string) (name string, weight float64, ok bool) {
	name, params, found := strings.Cut(part, ";")
	name = strings.ToLower(strings.TrimSpace(name))
	if !found {
		return name, 1, true
	}
	key, value, _ := strings.Cut(strings.TrimSpace(params), "=")
	if !strings.EqualFold(strings.TrimSpace(key), "q") {
		return "", 0, false
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return "", 0, false
	}
	return name, q, true
}
