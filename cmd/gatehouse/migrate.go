package main

import (
	"fmt"

	"gatehouse/storage"
)

type migrateCommand struct {
	Status bool `help:"Only say how many migrations are missing; exit 1 when there are any."`
}

// Run migrates, or reports what is missing.
func (m migrateCommand) Run(env *environment) error {
	s, err := env.load()
	if err != nil {
		return err
	}
	c := env.storageConfig(s)
	if m.Status {
		return migrationStatus(env, c)
	}
	applied, err := storage.Migrate(env.ctx, c)
	if err != nil {
		return err
	}
	if len(applied) == 0 {
		fmt.Fprintln(env.stdout, "The database is up to date.")
	}
	for _, name := range applied {
		fmt.Fprintln(env.stdout, "applied", name)
	}
	return nil
}

func migrationStatus(env *environment, c storage.Config) error {
	pending, err := storage.PendingMigrations(env.ctx, c)
	if err != nil {
		return err
	}
	if pending > 0 {
		return fmt.Errorf("%d migrations are missing", pending)
	}
	fmt.Fprintln(env.stdout, "The database is up to date.")
	return nil
}
