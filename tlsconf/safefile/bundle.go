package safefile

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

const (
	certificateBlock = "CERTIFICATE"
	pemBegin         = "-----BEGIN "
	pemEnd           = "-----END "
)

// ErrBroken is the error of a PEM file with a block that is damaged or cut off.
var ErrBroken = errors.New("damaged or cut off")

// Blocks decodes all PEM blocks of data, the content of the file at path (RFC 7468). Text
// between blocks and a UTF-8 byte order mark are skipped. The file is taken whole or
// refused: one damaged block is an error, not one block fewer. Every error is an *Error.
func Blocks(path string, data []byte) ([]*pem.Block, error) {
	data, err := TrimBOM(data)
	if err != nil {
		return nil, &Error{Path: path, Err: err, Advice: AdviceUTF8}
	}
	begins, ends := bytes.Count(data, []byte(pemBegin)), bytes.Count(data, []byte(pemEnd))
	if begins == 0 && ends == 0 {
		return nil, notPEM(path, data)
	}
	var blocks []*pem.Block
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		blocks = append(blocks, block)
	}
	if all := max(begins, ends); len(blocks) != begins || begins != ends {
		damaged := all - min(len(blocks), ends)
		return nil, &Error{Path: path, Err: fmt.Errorf("%d of %d PEM blocks: %w", damaged, all, ErrBroken),
			Advice: "copy the file again; each block needs its BEGIN and END line on lines of their own"}
	}
	return blocks, nil
}

// Certificates parses data, the content of the file at path, as a bundle of at least one
// certificate in PEM. The bundle is taken whole or refused: a block that is damaged, cut
// off, not a certificate or followed by junk inside is an error. It does not judge whether
// the certificates are fit for being CAs. Every error is an *Error.
func Certificates(path string, data []byte) ([]*x509.Certificate, error) {
	blocks, err := Blocks(path, data)
	if err != nil {
		return nil, err
	}
	certificates := make([]*x509.Certificate, len(blocks))
	for i, block := range blocks {
		if block.Type != certificateBlock {
			return nil, &Error{Path: path, Err: fmt.Errorf("block %d is %s, not a certificate", i+1, block.Type),
				Advice: "keep certificates only in this file"}
		}
		if certificates[i], err = x509.ParseCertificate(block.Bytes); err != nil {
			return nil, &Error{Path: path, Err: fmt.Errorf("certificate %d: %w", i+1, err)}
		}
	}
	return certificates, nil
}
