// Command gatehouse is an identity provider and the directory behind it.
//
// This package is the only place where the parts meet: it reads the environment,
// opens the stores, wires the services to their routes, and serves. It alone
// knows the time, the process's randomness and its exit code.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	tuneMemory(os.LookupEnv)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
