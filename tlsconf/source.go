package tlsconf

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

// source is one file to read.
type source struct {
	role, path string
	rule       safefile.Rule
}

type digest [sha256.Size]byte

// content is what the files held in one reading, by role. A file that was not read is missing.
type content map[string][]byte

// readings is how often files that change while they are read are read again.
const readings = 3

var (
	errEmpty = errors.New("is empty")
	// errUnsteady is for the caller to try again later: nothing says that the files belong together.
	errUnsteady = errors.New("certificate files: keep changing while they are read")
)

// copyTo copies the file; an empty one is an error.
func (s source) copyTo(w io.Writer) error {
	n, err := safefile.Copy(w, s.path, s.rule)
	if err == nil && n == 0 {
		return errEmpty
	}
	return err
}

// digests hashes the files without keeping them in memory. It stops at no bad file: the
// digest of one is zero, and the error names them all.
func digests(files []source) ([]digest, error) {
	sums := make([]digest, len(files))
	var all []error
	for i, f := range files {
		hash := sha256.New()
		if err := f.copyTo(hash); err != nil {
			all = append(all, f.failure(err))
			continue
		}
		hash.Sum(sums[i][:0])
	}
	return sums, join(all)
}

// read reads all files, again if they changed meanwhile, so that a set that is swapped as a
// whole is seen as a whole. It returns the files that can be read and an error for each
// that cannot; errUnsteady stands alone.
func read(files []source) (content, []digest, []error) {
	before, _ := digests(files)
	for range readings {
		data, sums := make(content), make([]digest, len(files))
		var failures []error
		for i, f := range files {
			var buf bytes.Buffer
			if err := f.copyTo(&buf); err != nil {
				failures = append(failures, f.failure(err))
				continue
			}
			data[f.role], sums[i] = buf.Bytes(), sha256.Sum256(buf.Bytes())
		}
		if slices.Equal(before, sums) {
			return data, sums, failures
		}
		before = sums
	}
	return nil, nil, []error{errUnsteady}
}

// failure is the error of a file that was not read. Where its mode is wrong and it holds another
// thing, or the right one in another form, that is the mistake: a certificate in the place of the
// key is usually readable by others, and the mode of a file that has to be converted is no matter.
func (s source) failure(err error) error {
	if errors.Is(err, safefile.ErrReadable) || errors.Is(err, safefile.ErrWritable) {
		if other := s.holdsOther(); other != nil {
			err = other
		}
	}
	return fileError(s.role, s.path, err)
}

// holdsOther is the error of a certificate or key file that holds the other of the two or is not
// PEM; nil if it is neither, or cannot be read.
func (s source) holdsOther() error {
	data, err := safefile.Read(s.path, safefile.Rule{MaxBytes: s.rule.MaxBytes, Public: true})
	switch {
	case err != nil:
		return nil
	case s.role == RoleServer:
		_, err = parseChain(data)
	case s.role == RoleKey:
		_, err = parseKey(data)
	}
	if errors.Is(err, errHoldsCertificate) || errors.Is(err, errHoldsKey) || errors.Is(err, safefile.ErrNotPEM) {
		return err
	}
	return nil
}

// withoutDerived drops what follows from another mistake: where the certificate file holds
// the key and the key file the certificate, they are swapped, which is one mistake.
func withoutDerived(all []error, keyPath string) []error {
	holds := func(role string, want error) int {
		return slices.IndexFunc(all, func(err error) bool {
			failure, ok := err.(*FileError)
			return ok && failure.Role == role && errors.Is(err, want)
		})
	}
	server, key := holds(RoleServer, errHoldsKey), holds(RoleKey, errHoldsCertificate)
	if server < 0 || key < 0 {
		return all
	}
	swapped := *all[server].(*FileError)
	swapped.Err = fmt.Errorf("%w, and key file %s holds a certificate", swapped.Err, keyPath)
	swapped.Advice = "certificate and key file are swapped"
	all[server] = &swapped
	return slices.Delete(all, key, key+1)
}
