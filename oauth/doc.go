// Package oauth is the authorization server: OAuth 2 and OpenID Connect over
// github.com/ory/fosite. One file is one step of the protocol; dispatch decides
// what comes next in an authorization (sign in, step up, consent, issue) and is
// the only place that does.
//
// It is the only package that imports fosite, and inside it only fosite.go
// speaks both languages. It learns who somebody is from package authn and keeps
// its grants, keys and clients in [Store]; it knows no password and no SQL.
package oauth
