package main

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
)

// reverseRole represents proxies like kube-rbac-proxy: the standard library's reverse
// proxy with mutual TLS and nothing else.
func reverseRole(dir, listen, upstream string) error {
	p, err := openPKI(dir)
	if err != nil {
		return err
	}
	config, err := p.server()
	if err != nil {
		return err
	}
	target, err := url.Parse("http://" + upstream)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	s := &http.Server{
		TLSConfig: config,
		Handler:   &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }},
	}
	return s.ServeTLS(ln, "", "")
}
