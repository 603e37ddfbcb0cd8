package safefile

import "io/fs"

// CheckAccess is the rule about permission bits, without a file.
func CheckAccess(info fs.FileInfo, rule Rule) error { return checkAccess(nil, info, rule) }
