// Command kubernetes records what a real kube-apiserver answers to the gate's questions:
//
//	go run ./kubernetes -ca ca.crt -admin admin.token -key sa.key -out ../auth/testdata/kubernetes
//
// The API server is one of its own, with nothing else in it (see cluster.sh): objects are
// made there, and one of them is deleted.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	server := flag.String("server", "https://kubernetes.default.svc", "the API server's URL")
	ca := flag.String("ca", "", "PEM file of its CA")
	admin := flag.String("admin", "", "file with a token of system:masters")
	key := flag.String("key", "", "PEM file of the key that signs service account tokens")
	out := flag.String("out", "", "folder for the recordings")
	flag.Parse()
	c, err := newCluster(*server, *ca, *admin)
	if err == nil {
		err = record(c, recorder{cluster: c, dir: *out}, *key)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kubernetes:", err)
		os.Exit(1)
	}
}

// cluster is an API server and the right to do everything there.
type cluster struct {
	url, admin string
	client     *http.Client
}

func newCluster(url, caFile, adminFile string) (*cluster, error) {
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New(caFile + ": no certificate")
	}
	admin, err := os.ReadFile(adminFile)
	if err != nil {
		return nil, err
	}
	// As the gate asks: HTTP/1.1, no compression.
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableCompression: true}
	return &cluster{url: url, admin: strings.TrimSpace(string(admin)),
		client: &http.Client{Transport: transport, Timeout: 10 * time.Second}}, nil
}

// record makes the objects and asks everything, each question once.
func record(c *cluster, r recorder, keyFile string) error {
	t, err := c.populate(keyFile)
	if err != nil {
		return err
	}
	if err := r.all(forbidden(t)); err != nil { // before the gate may ask
		return err
	}
	if err := c.bindDelegator(t.gate); err != nil {
		return err
	}
	if err := r.all(answered(t)); err != nil {
		return err
	}
	return r.deleted(t)
}
