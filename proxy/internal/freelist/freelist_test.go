package freelist

import (
	"fmt"
	"testing"
)

// TestReleaseIdleKeepsWhatIsUsed drops what a burst left, and nothing that the usual load uses.
func TestReleaseIdleKeepsWhatIsUsed(t *testing.T) {
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

func ExampleList() {
	list := New[[1024]byte](2)
	buffer := list.Get()
	list.Put(buffer)
	list.ReleaseIdle() // the buffer was used since the last call
	fmt.Println(list.Len())
	list.ReleaseIdle()
	fmt.Println(list.Len())
	// Output:
	// 1
	// 0
}
