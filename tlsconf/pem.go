package tlsconf

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

const certificateBlock = "CERTIFICATE"

var pemBegin = []byte("-----BEGIN ")

// blocks decodes all of a PEM file. Text between blocks is passed over; a block that is
// broken or cut off is an error, not fewer blocks.
func blocks(data []byte) ([]*pem.Block, error) {
	var list []*pem.Block
	begun := bytes.Count(data, pemBegin)
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		list = append(list, block)
	}
	switch {
	case begun == 0 && derLike(data):
		return nil, advise(errors.New("is not PEM but looks like DER"), "convert it, e.g. openssl x509 -inform DER -in FILE -out FILE.pem")
	case begun == 0:
		return nil, errors.New("holds no PEM block")
	case len(list) != begun:
		return nil, fmt.Errorf("%d of its %d PEM blocks are broken or cut off", begun-len(list), begun)
	}
	return list, nil
}

// derLike reports whether data begins as a DER sequence of more than 127 bytes.
func derLike(data []byte) bool {
	return len(data) > 2 && data[0] == 0x30 && data[1] > 0x80
}

func isPrivate(block *pem.Block) bool { return strings.HasSuffix(block.Type, "PRIVATE KEY") }

func certificate(block *pem.Block, n int) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("certificate %d: %w", n, err)
	}
	return cert, nil
}
