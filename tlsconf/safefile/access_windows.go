package safefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

const nonblock = 0

// Rights in an access control entry. The generic ones stand for the others.
const (
	readRights  = windows.FILE_READ_DATA | windows.GENERIC_READ | windows.GENERIC_ALL
	writeRights = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.WRITE_DAC | windows.WRITE_OWNER |
		windows.GENERIC_WRITE | windows.GENERIC_ALL
)

// allowCallback is ACCESS_ALLOWED_CALLBACK_ACE_TYPE: a conditional entry, laid out as a plain one.
const allowCallback = 9

// Windows has no permission bits: Go reports mode 0666 for every writable file. checkAccess
// reads the file's discretionary access control list (DACL) instead. Others are the groups
// that hold more than the machine's administrators and the accounts named in the list.
func checkAccess(file *os.File, _ fs.FileInfo, rule Rule) error {
	security, err := windows.GetSecurityInfo(windows.Handle(file.Fd()), windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("access control list: %w", err)
	}
	return checkSecurity(security, rule)
}

func checkSecurity(security *windows.SECURITY_DESCRIPTOR, rule Rule) error {
	list, _, err := security.DACL()
	switch {
	case errors.Is(err, windows.ERROR_OBJECT_NOT_FOUND), err == nil && list == nil:
		// Without a list everybody has every right.
		return refuseAccess(windows.GENERIC_ALL, "Everyone: there is no access control list", rule)
	case err != nil:
		return fmt.Errorf("access control list: %w", err)
	}
	for _, group := range []struct {
		kind windows.WELL_KNOWN_SID_TYPE
		name string
	}{
		{windows.WinWorldSid, "Everyone"},
		{windows.WinAuthenticatedUserSid, "Authenticated Users"},
		{windows.WinBuiltinUsersSid, "Users"},
		{windows.WinInteractiveSid, "Interactive"},
		{windows.WinNetworkSid, "Network"},
		{windows.WinBuiltinGuestsSid, "Guests"},
		{windows.WinAnonymousSid, "Anonymous"},
	} {
		rights, err := rightsOf(list, group.kind)
		if err != nil {
			return fmt.Errorf("access control list: %w", err)
		}
		if err := refuseAccess(rights, group.name, rule); err != nil {
			return err
		}
	}
	return nil
}

// rightsOf is what the list allows one group. An entry that denies a right counts only
// against later entries that allow it, as in the system's own check.
func rightsOf(list *windows.ACL, group windows.WELL_KNOWN_SID_TYPE) (allowed windows.ACCESS_MASK, err error) {
	var denied windows.ACCESS_MASK
	for i := range uint32(list.AceCount) {
		var entry *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(list, i, &entry); err != nil {
			return 0, err
		}
		if entry.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 {
			continue
		}
		switch entry.Header.AceType {
		case windows.ACCESS_ALLOWED_ACE_TYPE, windows.ACCESS_DENIED_ACE_TYPE, allowCallback:
		default:
			continue // of another layout, and none that allows access to files
		}
		if !(*windows.SID)(unsafe.Pointer(&entry.SidStart)).IsWellKnown(group) {
			continue
		}
		if entry.Header.AceType == windows.ACCESS_DENIED_ACE_TYPE {
			denied |= entry.Mask
		} else {
			allowed |= entry.Mask &^ denied
		}
	}
	return allowed, nil
}

// adviceDenied is what to do about a file or folder that this user may not open.
func adviceDenied(string, fs.FileInfo) string {
	return `icacls FILE /grant "NT SERVICE\metrics-gate:R" lets the service read it`
}

func refuseAccess(rights windows.ACCESS_MASK, name string, rule Rule) error {
	const advice = "icacls FILE /inheritance:r /grant:r SYSTEM:F Administrators:F; once the service is installed, " +
		`also icacls FILE /grant "NT SERVICE\metrics-gate:R"`
	switch {
	case rule.Secret && rights&readRights != 0:
		return &Error{Err: fmt.Errorf("%w (%s)", ErrReadable, name), Advice: advice}
	case !rule.Public && rights&writeRights != 0:
		return &Error{Err: fmt.Errorf("%w (%s)", ErrWritable, name), Advice: advice}
	}
	return nil
}
