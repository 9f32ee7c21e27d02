// Package randx has the part of github.com/ory/x/randx that fosite uses.
package randx
