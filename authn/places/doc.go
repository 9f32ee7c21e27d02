// Package places tells where network addresses are, from a file in the format of
// MaxMind DB that the operator provides: GeoLite2, GeoIP2, or another publisher's
// of the same shape. Nothing is asked of anybody over the network.
//
// It owns the reading of that file. Who is told a place, and that it decides
// nothing, is its callers' business: addresses are moved, shared and hidden, so
// that a place helps owners to recognise their own sign-ins and no more.
package places
