package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// scrape runs all scrapers, each once a second, until ctx ends.
func (w *world) scrape(ctx context.Context, seen *counts) *sync.WaitGroup {
	var running sync.WaitGroup
	for i, config := range w.scrapers {
		running.Go(func() {
			client := w.http(config)
			defer client.CloseIdleConnections()
			pause(ctx, time.Duration(i)*time.Second/time.Duration(len(w.scrapers)))
			for ctx.Err() == nil {
				begin := time.Now()
				got := w.once(client, "/metrics", "")
				kind := "scrape"
				if !w.runner.soundSince(begin) {
					kind = "scrape of a faulty runner"
				}
				if kind == "scrape" && got != "200" {
					seen.add("REFUSED SCRAPES", got)
				}
				seen.add(kind, got)
				pause(ctx, time.Second-time.Since(begin))
			}
		})
	}
	return &running
}

// http returns a client with keep-alive.
func (w *world) http(config *tls.Config) *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: 40 * time.Second}
}

// once asks for path and returns the status or the kind of failure. A 200 must be complete.
func (w *world) once(client *http.Client, path, token string) string {
	request, err := http.NewRequest(http.MethodGet, "https://"+w.gate.Address+path, nil)
	if err != nil {
		return "error"
	}
	request.Header.Set("Accept-Encoding", "gzip")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return "cut"
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return "cut"
	}
	return fmt.Sprint(response.StatusCode)
}

// disturb rotates files, reloads the gate and makes the runner fail at times, until ctx ends.
func (w *world) disturb(ctx context.Context, t *bench, seen *counts) {
	for round := int64(1); ctx.Err() == nil; round++ {
		pause(ctx, 6*time.Second)
		w.runner.turn(1 + round%faults)
		pause(ctx, time.Second)
		w.runner.turn(0)
		w.writeCRL(t, 1+round)
		w.pki.Write(t, "tokens", fmt.Appendf(nil, "%s\n# %d\n", w.tokens, round))
		if round%2 == 0 {
			w.pki.Issue(t, "server", testca.Options{DNSNames: []string{"localhost"}, IPs: []string{"127.0.0.1"}})
		}
		if round%3 == 0 {
			w.pki.Write(t, "tokens", bytes.Repeat([]byte("garbage"), 100))
		}
		w.gate.Signal(t, syscall.SIGHUP)
		seen.add("reload", "asked for")
	}
	w.runner.turn(0)
}
