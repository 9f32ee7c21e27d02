// Package otelx has the part of github.com/ory/x/otelx that fosite uses.
package otelx
