// Package web is the HTTP plumbing every surface shares: handlers that return
// errors, a router that never redirects by itself, strict JSON decoding, the
// headers every response carries, and one log event for each request.
//
// It imports nothing of the rest of the program. What an error looks like is
// the business of a [Surface]; what an error means is decided once, by the
// function the program gives to [Router.Classify].
package web
