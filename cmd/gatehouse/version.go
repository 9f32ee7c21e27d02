package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the release build; a plain build says what the toolchain knows.
var version = ""

type versionCommand struct{}

// Run prints the version and the toolchain it was built with.
func (versionCommand) Run(env *environment) error {
	_, err := fmt.Fprintf(env.stdout, "gatehouse %s (%s %s/%s)\n", versionString(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

func versionString() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "0.0.0-" + s.Value[:12]
		}
	}
	return "0.0.0-dev"
}
