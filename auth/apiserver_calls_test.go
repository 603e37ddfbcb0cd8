package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestKubernetesSharesCalls(t *testing.T) {
	f := newAPIFake(t)
	hold := make(chan struct{})
	f.hold = hold
	o := f.options(t)
	o.Parallel = 2
	var admitted atomic.Int32
	o.Admit = func(*http.Request) bool { admitted.Add(1); return true }
	review := newReview(t, o)
	ctx, leave := context.WithCancel(context.Background())
	first := make(chan error)
	go func() {
		_, err := review.Authenticate(request("Bearer " + podToken).WithContext(ctx))
		first <- err
	}()
	eventually(t, "the API server is asked", func() bool { return f.calls() > 0 })
	leave() // the caller that began the call goes; the others still get its answer
	if err := <-first; !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Fatalf("the caller that left: %v", err)
	}
	var wait sync.WaitGroup
	ctx = watchedContext{context.Background(), new(atomic.Int32)}
	for range 20 {
		wait.Go(func() {
			if _, err := review.Authenticate(request("Bearer " + podToken).WithContext(ctx)); err != nil {
				t.Error(err)
			}
		})
	}
	// One that comes after the answer, and looked into the cache before, asks once more.
	eventually(t, "all wait", func() bool { return ctx.(watchedContext).waiting.Load() == 20 })
	close(hold)
	wait.Wait()
	if calls, asked := f.calls(), admitted.Load(); calls != 1 || asked != 1 {
		t.Fatalf("%d calls, admitted %d times; want one", calls, asked)
	}
}

// watchedContext counts who waits for its end.
type watchedContext struct {
	context.Context
	waiting *atomic.Int32
}

// Done implements context.Context.
func (c watchedContext) Done() <-chan struct{} {
	c.waiting.Add(1)
	return c.Context.Done()
}

func TestKubernetesBoundsCalls(t *testing.T) {
	f := newAPIFake(t)
	var now, most atomic.Int32
	f.override = func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		f.answer(w, "tokenreview-garbage", nil)
		now.Add(-1)
	}
	o := f.options(t)
	o.Parallel = 3
	review := newReview(t, o)
	var wait sync.WaitGroup
	for i := range 60 {
		wait.Go(func() {
			if _, err := review.Authenticate(request(fmt.Sprint("Bearer t", i))); errors.Is(err, ErrUnavailable) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := most.Load(); n > 3 {
		t.Fatalf("%d calls at one time, want at most 3", n)
	}
}

// hangingTransport answers when the request's context ends.
type hangingTransport struct{}

func (hangingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestKubernetesDeadline(t *testing.T) {
	o := newAPIFake(t).options(t)
	o.Parallel = 1
	synctest.Test(t, func(t *testing.T) {
		review := newReview(t, o)
		review.api.client = &http.Client{Transport: hangingTransport{}}
		start := time.Now()
		var wait sync.WaitGroup
		for i := range 3 { // one waits for the server, two for their turn
			wait.Go(func() {
				_, err := review.Authenticate(request(fmt.Sprint("Bearer t", i)))
				if !errors.Is(err, ErrUnavailable) {
					t.Errorf("%v, want %v", err, ErrUnavailable)
				}
			})
		}
		wait.Wait()
		if waited := time.Since(start); waited != reviewTimeout {
			t.Errorf("waited %s, want %s", waited, reviewTimeout)
		}
	})
}
