// Package cutover lets the callers of an old system move here one by one. It asks
// the old Delius about the same passwords, answers with the one that each caller
// relies on, counts where the two agree, takes over passwords that only the old one
// has, and counts who still calls which legacy endpoint, so that somebody can see
// who is ready to be cut over.
//
// It owns the exchange with the old system, the comparison and its figures. It
// checks no password itself and knows no SQL, no OAuth and no route.
package cutover
