package safefile

import "io/fs"

// CheckAccess is the rule about permission bits, without a file.
func CheckAccess(info fs.FileInfo, rule Rule) error { return checkAccess(nil, info, rule) }

// AdviceOpen is the advice about a file that could not be opened.
func AdviceOpen(path string, err error) string { return adviceOpen(path, err) }

// AdviceDenied is the advice about what this user may not open.
func AdviceDenied(path string, info fs.FileInfo) string { return adviceDenied(path, info) }
