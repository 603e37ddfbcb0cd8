package gate

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Idle memory of every part is released once an interval, not at the start, and no more
// after the end.
func TestIdleMemoryIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var released [2]atomic.Int64
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			releaseIdle(ctx, []func(){func() { released[0].Add(1) }, func() { released[1].Add(1) }})
		}()
		for _, step := range []struct {
			after time.Duration
			want  int64
		}{{startTime, 0}, {releaseInterval - time.Second, 0}, {time.Second, 1}, {releaseInterval, 2},
			{10 * releaseInterval, 12}} {
			time.Sleep(step.after) // of the bubble
			synctest.Wait()
			for i := range released {
				if got := released[i].Load(); got != step.want {
					t.Errorf("after another %s: part %d released %d times, want %d", step.after, i, got, step.want)
				}
			}
		}
		stop()
		<-ended
		time.Sleep(2 * releaseInterval)
		if got := released[0].Load(); got != 12 {
			t.Errorf("released %d times: it goes on after the end", got)
		}
	})
}

// A gate that ends while it starts does not wait for the start to be over.
func TestReleaseEndsWithinTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		stop()
		begin := time.Now()
		releaseIdle(ctx, []func(){func() { t.Error("released") }})
		if time.Since(begin) != 0 {
			t.Error("it waited") // the bubble's clock stands still unless somebody waits
		}
	})
}
