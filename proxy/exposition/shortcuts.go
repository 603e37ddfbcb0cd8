//go:build !exposition_plain

package exposition

// useShortcuts is whether a Reader uses its shortcuts: the cache of the last body, the template
// of a line, plans for protobuf metrics. Build with the tag exposition_plain to find out whether
// a fault is in one of them: then the scanner reads every line.
const useShortcuts = true
