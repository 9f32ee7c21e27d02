package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"gatehouse/authn/pages"
)

type configCommands struct {
	Check configCheckCommand `cmd:"" help:"Report every fault of the configuration at once."`
}

type configCheckCommand struct{}

// Run checks the configuration as serve would, without opening a store, and says
// which logos no page would show, without which serve starts all the same.
func (configCheckCommand) Run(env *environment) error {
	s, err := env.secrets()
	_, unplaced := env.config.places()
	faults := []error{err, env.config.check(), env.config.checkProduction(s), checkSecrets(s), env.config.Shadow.check(s), unplaced, env.config.checkLogos()}
	if err := errors.Join(faults...); err != nil {
		return usageError{err}
	}
	fmt.Fprintln(env.stdout, "The configuration is good.")
	return nil
}

// checkLogos looks at every file of the directory of logos but the hidden ones.
func (c *Config) checkLogos() error {
	if c.BrandingDir == "" {
		return nil
	}
	logos, err := os.OpenRoot(c.BrandingDir)
	if err != nil {
		return nil // which [Config.check] says
	}
	defer func() { _ = logos.Close() }()
	files, err := fs.ReadDir(logos.FS(), ".")
	if err != nil {
		return fmt.Errorf("GATEHOUSE_BRANDING_DIR: %w", err)
	}
	var faults []error
	for _, file := range files {
		if strings.HasPrefix(file.Name(), ".") {
			continue
		}
		if err := pages.CheckLogo(logos.FS(), file.Name()); err != nil {
			faults = append(faults, fmt.Errorf("GATEHOUSE_BRANDING_DIR: %q %w, so no page shows it", file.Name(), err))
		}
	}
	return errors.Join(faults...)
}
