package main

import (
	"errors"
	"fmt"
	"io"

	"gatehouse/directory/transfer"
	"gatehouse/storage"
)

type userExportCommand struct {
	File               string   `help:"Where to write; standard output when missing." placeholder:"PATH"`
	Format             string   `help:"jsonl, csv or ldif; by default what the file's name says, else jsonl." enum:"jsonl,csv,ldif," default:""`
	Type               []string `help:"What to write: user, organisation, service; may be repeated. By default all of them as JSON lines, and users in the other formats."`
	Base               string   `help:"Distinguished name that LDIF users stand below." default:"ou=Users,dc=gatehouse"`
	WithPasswordHashes bool     `help:"Write the hashes of passwords too, so that people keep theirs."`
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
			Store: storage.Imports{Directory: storage.Directory{DB: a.stores.DB}}, WithPasswordHashes: c.WithPasswordHashes,
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
