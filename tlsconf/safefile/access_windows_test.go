package safefile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows"
)

// The lists are in the security descriptor definition language: A allows, D denies; FR reads,
// FW writes, FA does all; WD is Everyone, AU Authenticated Users, BU Users, BA Administrators,
// SY the system.
func TestAccessControlListsAreJudged(t *testing.T) {
	plain, secret, public := Rule{MaxBytes: 9}, Rule{MaxBytes: 9, Secret: true}, Rule{MaxBytes: 9, Public: true}
	for _, tc := range []struct {
		list string
		rule Rule
		want error
	}{
		{"D:(A;;FA;;;SY)(A;;FA;;;BA)", secret, nil},
		{"D:P", secret, nil}, // an empty list allows nobody
		{"D:(A;;FA;;;SY)(A;;FR;;;WD)", secret, ErrReadable},
		{"D:(A;;FA;;;SY)(A;;FR;;;AU)", secret, ErrReadable},
		{"D:(A;;FA;;;SY)(A;;FR;;;BU)", secret, ErrReadable},
		{"D:(A;;GR;;;BU)", secret, ErrReadable},
		{"D:(A;;FA;;;WD)", secret, ErrReadable},
		{"D:(A;;FW;;;BU)", secret, ErrWritable},
		{"D:(A;;FR;;;WD)", plain, nil},
		{"D:(A;;FR;;;BU)", plain, nil},
		{"D:(A;;FW;;;BU)", plain, ErrWritable},
		{"D:(A;;GW;;;AU)", plain, ErrWritable},
		{"D:(A;;WD;;;WD)", plain, ErrWritable}, // the right to change the list
		{"D:(A;;FA;;;WD)", public, nil},
		{"D:(D;;FW;;;BU)(A;;FW;;;BU)", plain, nil},
		{"D:(A;;FW;;;BU)(D;;FW;;;BU)", plain, ErrWritable},
		{"D:(A;OICIIO;FA;;;WD)", secret, nil}, // for files below a folder only
		{"O:BA", secret, ErrReadable},
	} {
		security, err := windows.SecurityDescriptorFromString(tc.list)
		if err != nil {
			t.Errorf("%s: %v", tc.list, err)
			continue
		}
		if err := checkSecurity(security, tc.rule); !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
			t.Errorf("%s, %+v: got %v, want %v", tc.list, tc.rule, err, tc.want)
		}
	}
}

// A list that is present and null gives everybody every right.
func TestNullListIsRefused(t *testing.T) {
	security, err := windows.NewSecurityDescriptor()
	if err != nil {
		t.Fatal(err)
	}
	if err := security.SetDACL(nil, true, false); err != nil {
		t.Fatal(err)
	}
	if err := checkSecurity(security, Rule{MaxBytes: 9}); !errors.Is(err, ErrWritable) {
		t.Errorf("got %v, want %v", err, ErrWritable)
	}
}

func TestReadJudgesTheListOfTheOpenedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	for list, want := range map[string]error{
		"D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)":             nil,
		"D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)(A;;FR;;;WD)": ErrReadable,
	} {
		security, err := windows.SecurityDescriptorFromString(list)
		if err != nil {
			t.Fatal(err)
		}
		dacl, _, err := security.DACL()
		if err != nil {
			t.Fatal(err)
		}
		err = windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
			windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION,
			nil, nil, dacl, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path, Rule{MaxBytes: 9, Secret: true}); !errors.Is(err, want) ||
			(err == nil) != (want == nil) {
			t.Errorf("%s: got %v, want %v", list, err, want)
		}
	}
}
