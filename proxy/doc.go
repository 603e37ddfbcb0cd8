// Package proxy has the filters that a request passes on its way to the runner: headers of
// every answer, the literal target, methods and bodies, the limits of failures, identities
// and exchanges, and the metrics of all this. Its sub-packages carry the request on.
//
// It must not know how a caller is authenticated or authorized: identities come in as
// functions of a request.
package proxy
