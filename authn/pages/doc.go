// Package pages is the hosted pages: what a person sees while signing in,
// agreeing, signing out, or when something went wrong. It owns the HTML, the
// style sheet, every sentence in every language, and the rules of a browser form: one
// value for each field, from the body alone, from our own origin.
//
// It decides nothing about who somebody is (package authn does, through
// [Authn]) nor about what comes after a sign-in (package oauth does: a page
// sends the browser back to [ContinuePath]). The pages hold no script and need none.
package pages
