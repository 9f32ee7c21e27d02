// Package authn proves who somebody is. [Service.Authenticate] is the one door
// behind every front: the hosted pages, the Notify and Delius dialects and
// whatever comes later. It owns the order of a sign-in (reserve the attempt,
// compare the password, ask the policy for one more factor, check the code),
// the limits, the lock, sessions and the trace of every decision.
//
// It knows users through package directory, and its own tables and keys through
// [Store] and [Cache]. It writes no HTTP response but cookies, and knows no OAuth.
package authn
