package main

import "runtime/debug"

// collectAt is how far the heap grows, in percent of what is alive, before
// garbage is collected. What is alive is a few MiB, so that Go's own 100 would
// collect hundreds of times a second under load.
const collectAt = 400

// tuneMemory trades memory for processor time, unless GOGC says otherwise.
func tuneMemory(lookup lookupEnv) {
	if _, set := lookup("GOGC"); !set {
		debug.SetGCPercent(collectAt)
	}
}
