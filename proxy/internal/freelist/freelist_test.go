package freelist

import (
	"testing"
)

// TestSparesKeepWhatIsNeeded lets go of what a burst has left, and of nothing that the
// usual load takes.
func TestSparesKeepWhatIsNeeded(t *testing.T) {
	s := New[int](8)
	burst := make([]*int, 20)
	for i := range burst {
		burst[i] = s.Get()
	}
	for _, c := range burst {
		s.Put(c)
	}
	if len(s.free) != 8 {
		t.Fatalf("%d kept, want 8", len(s.free))
	}
	s.ReleaseIdle() // the burst was since the last call
	for range 3 {
		a, b := s.Get(), s.Get()
		s.Put(a)
		s.Put(b)
		s.ReleaseIdle()
		if len(s.free) != 2 {
			t.Fatalf("%d kept, want the 2 in use", len(s.free))
		}
	}
	s.ReleaseIdle()
	if len(s.free) != 0 {
		t.Errorf("%d kept although nobody asked", len(s.free))
	}
}
