package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/directory/transfer"
	"gatehouse/storage"
)

type userExportCommand struct {
	File               string   `help:"Where to write; standard output when missing." placeholder:"PATH"`
	Format             string   `help:"jsonl, csv or ldif; by default what the file's name says, else jsonl." enum:"jsonl,csv,ldif," default:""`
	Type               []string `help:"What to write: user, organisation, service, marketplace_user; may be repeated. By default the first three as JSON lines, and users in the other formats."`
	Base               string   `help:"Distinguished name that LDIF users stand below." default:"ou=Users,dc=gatehouse"`
	WithPasswordHashes bool     `help:"Write the hashes of passwords too, so that people keep theirs."`
	WithSensitive      bool     `help:"Write the identity numbers and dates of birth of marketplace users too, which are kept encrypted here."`
}

// Run writes what user import reads, while the service runs.
func (c userExportCommand) Run(env *environment) error {
	format := transfer.Format(c.Format)
	if format == "" {
		format = transfer.FormatOf(c.File)
	}
	if format == "" {
		format = transfer.JSONLines
	}
	kinds := c.Type
	switch {
	case len(kinds) == 0 && format == transfer.JSONLines:
		kinds = []string{transfer.KindOrganisation, transfer.KindService, transfer.KindUser}
	case len(kinds) == 0:
		kinds = []string{transfer.KindUser}
	case len(kinds) > 1 && format != transfer.JSONLines:
		return usageError{errors.New("only JSON lines hold more than one type")}
	case format == transfer.LDIF && kinds[0] != transfer.KindUser:
		return usageError{errors.New("LDIF holds users alone")}
	}
	return withApp(env, func(a *app) error {
		exporter := &transfer.Exporter{
			Store: storage.Imports{Directory: storage.Directory{DB: a.stores.DB}}, Profiles: a.profiles,
			WithPasswordHashes: c.WithPasswordHashes, WithSensitive: c.WithSensitive,
		}
		// Before anything is written: who stops it in the middle has a part.
		if err := c.record(env.ctx, a, kinds); err != nil {
			return err
		}
		var records int64
		write := func(w io.Writer) error {
			to, err := transfer.NewWriter(w, format, kinds[0], c.Base)
			if err != nil {
				return usageError{err}
			}
			records, err = exporter.Export(env.ctx, to, kinds...)
			return err
		}
		if c.File == "" {
			return write(env.stdout)
		}
		if err := writeFile(c.File, write); err != nil {
			return err
		}
		fmt.Fprintf(env.stdout, "%d records\n", records)
		return nil
	})
}

// record puts into the audit trail what is taken out.
func (c userExportCommand) record(ctx context.Context, a *app, kinds []string) error {
	return storage.Directory{DB: a.stores.DB}.AppendEvent(ctx, directory.Event{
		ID: uuid.New(), Type: "export_users", Actor: operator, At: a.clock.Now(),
		Data: map[string]any{"types": kinds, "password_hashes": c.WithPasswordHashes, "sensitive": c.WithSensitive},
	})
}
