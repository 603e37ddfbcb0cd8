//go:build exposition_plain

package exposition

// useShortcuts is false: the scanner reads every line.
const useShortcuts = false
