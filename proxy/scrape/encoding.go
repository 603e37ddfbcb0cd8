package scrape

import (
	"strconv"
	"strings"
)

// encoding is a content coding of an answer.
type encoding uint8

const (
	encodingIdentity encoding = iota
	encodingZstd
	encodingGzip
	encodings // how many there are
)

func (e encoding) String() string { return [encodings]string{"identity", "zstd", "gzip"}[e] }

// negotiate chooses the encoding of an answer from the fields of Accept-Encoding
// (RFC 9110 section 12.5.3): the one with the greatest weight, of equal ones zstd
// before gzip before none. The wildcard stands for gzip, which everyone can
// read. When nothing that is offered is acceptable the answer is not encoded.
func negotiate(fields []string) encoding {
	if len(fields) == 1 {
		switch fields[0] { // what scrapers send
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
		if weights[e] > 0 && weights[e] > weights[best] || best == encodingIdentity && weights[e] > 0 && weights[e] == weights[best] {
			best = e
		}
	}
	return best
}

// coding reads one member of Accept-Encoding. A weight that is none makes it not
// ok.
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
