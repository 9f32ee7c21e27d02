package main

import (
	"errors"
	"fmt"
)

type configCommands struct {
	Check configCheckCommand `cmd:"" help:"Report every fault of the configuration at once."`
}

type configCheckCommand struct{}

// Run checks the configuration as serve would, without opening a store.
func (configCheckCommand) Run(env *environment) error {
	s, err := env.secrets()
	_, unplaced := env.config.places()
	faults := []error{err, env.config.check(), env.config.checkProduction(s), checkSecrets(s), env.config.Shadow.check(s), unplaced}
	if err := errors.Join(faults...); err != nil {
		return usageError{err}
	}
	fmt.Fprintln(env.stdout, "The configuration is good.")
	return nil
}
