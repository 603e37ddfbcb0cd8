package tlsconf

import (
	"errors"
	"fmt"
	"slices"
)

// ErrOlderList is wrapped by the error of Reload if a revocation list would replace a newer
// one. It would forget what was revoked in between.
var ErrOlderList = errors.New("is older than the list in use")

// checkRollback refuses lists that are older than those in use of the same issuer, key and
// scope: by their numbers, or by their dates if one of the two has no number.
func (ls *lists) checkRollback(next *lists) error {
	if ls == nil || next == nil {
		return nil
	}
	inUse := newestOf(slices.DeleteFunc(slices.Clone(ls.all), ls.isForged))
	for _, l := range newestOf(slices.DeleteFunc(slices.Clone(next.all), next.isForged)) {
		at := slices.IndexFunc(inUse, l.replaces)
		if at < 0 {
			continue
		}
		a, b := l.signed, inUse[at].signed
		switch {
		case a.Number != nil && b.Number != nil && a.Number.Cmp(b.Number) < 0:
			return advise(fmt.Errorf("list of %s %w: number %s after %s", a.Issuer, ErrOlderList, a.Number, b.Number),
				"put the newest list there; if its numbers really began anew, restart the gate")
		case (a.Number == nil || b.Number == nil) && a.ThisUpdate.Before(b.ThisUpdate):
			return advise(fmt.Errorf("list of %s %w: of %s after %s", a.Issuer, ErrOlderList,
				date(a.ThisUpdate), date(b.ThisUpdate)), "put the newest list there")
		}
	}
	return nil
}

// isForged reports whether a CA of the client CA file has the list's issuer name and key,
// and none of those has signed the list. Such a list is not in use. That of an issuer that
// is not in the file cannot be verified here and counts as in use.
func (ls *lists) isForged(l *list) bool {
	named := false
	for _, ca := range ls.cas {
		if !l.names(ca.RawSubject, ca.SubjectKeyId) {
			continue
		}
		if l.signed.CheckSignatureFrom(ca) == nil {
			return false
		}
		named = true
	}
	return named
}
