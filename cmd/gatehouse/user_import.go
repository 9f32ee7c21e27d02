package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"gatehouse/directory"
	"gatehouse/directory/transfer"
	"gatehouse/storage"
)

// exitRejected is the exit code of an import that left records out.
const exitRejected = 3

type userImportCommand struct {
	File            string `arg:"" name:"file" help:"JSON lines (.jsonl), CSV (.csv) or LDIF (.ldif); - for standard input."`
	Source          string `help:"Name of the system that the records come from. Their external ids are its own: the same source and id is the same user." required:""`
	Format          string `help:"jsonl, csv or ldif; by default what the file's name says." enum:"jsonl,csv,ldif," default:""`
	Type            string `help:"What the rows of a CSV file are: user, organisation, service, membership or marketplace_user." enum:"user,organisation,service,membership,marketplace_user" default:"user"`
	NumberAttribute string `help:"LDIF attribute with the numeric id of a user." default:"employeeNumber"`
	DryRun          bool   `help:"Check every record, and write nothing."`
	Rejects         string `help:"File for the records that are not taken, as JSON lines: line, external id, reason. By default they are shown." placeholder:"PATH"`
	JSON            bool   `name:"json" help:"Print the summary as JSON."`
}

// Run imports the file, or goes on where an import of it was interrupted.
func (c userImportCommand) Run(env *environment) error {
	options := transfer.Options{Format: transfer.Format(c.Format), Kind: c.Type, NumberAttribute: c.NumberAttribute}
	if options.Format == "" {
		options.Format = transfer.FormatOf(c.File)
	}
	if options.Format == "" {
		return usageError{errors.New("of what format is the file? Say --format jsonl, csv or ldif")}
	}
	in, err := openImport(env, c.File, options)
	if err != nil {
		return err
	}
	defer in.close()
	rejects, err := openRejects(env, c.Rejects)
	if err != nil {
		return err
	}
	return withApp(env, func(a *app) error {
		importer := &transfer.Importer{
			Store: storage.Imports{Directory: storage.Directory{DB: a.stores.DB}}, Registry: a.registry, Passwords: a.authn,
			Profiles: a.profiles, DigestKeys: a.keyring.DeriveAll("imports"), Actor: operator, Source: c.Source, DryRun: c.DryRun, Reject: rejects.add,
		}
		started, err := importer.Start(env.ctx, in.digest)
		if err != nil {
			return errors.Join(err, rejects.close())
		}
		if started.Records > 0 {
			fmt.Fprintf(env.stderr, "going on after %d records\n", started.Records)
		}
		show := newProgress(env.stderr, in)
		importer.Progress = show.update
		done, err := importer.Run(env.ctx, in, options)
		show.end()
		if err := errors.Join(err, rejects.close()); err != nil {
			return fmt.Errorf("after %d records, which stay as they are; the same command goes on: %w", done.Records, err)
		}
		return c.summary(env, done)
	})
}

// importSummary is what became of a file, as commands print it.
type importSummary struct {
	Source    string `json:"source"`
	DryRun    bool   `json:"dry_run,omitempty"`
	Records   int64  `json:"records"`
	Created   int64  `json:"created"`
	Updated   int64  `json:"updated"`
	Unchanged int64  `json:"unchanged"`
	Rejected  int64  `json:"rejected"`
}

func (c userImportCommand) summary(env *environment, p directory.ImportProgress) error {
	s := importSummary{
		Source: p.Source, DryRun: c.DryRun, Records: p.Records, Created: p.Created, Updated: p.Updated,
		Unchanged: p.Unchanged, Rejected: p.Rejected,
	}
	if c.JSON {
		if err := printJSON(env.stdout, s); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(env.stdout, "%d records: %d created, %d updated, %d unchanged, %d rejected\n", s.Records, s.Created, s.Updated, s.Unchanged, s.Rejected)
	}
	if s.Rejected > 0 {
		return exitStatus(exitRejected)
	}
	return nil
}

// importFile is a file being imported.
type importFile struct {
	io.Reader
	digest string // "" for what cannot be read twice
	size   int64  // in bytes, -1 when it is not known
	read   atomic.Int64
	close  func()
}

// Read implements io.Reader.
func (f *importFile) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	f.read.Add(int64(n))
	return n, err
}

func openImport(env *environment, name string, o transfer.Options) (*importFile, error) {
	if name == "-" {
		return &importFile{Reader: env.stdin, size: -1, close: func() {}}, nil
	}
	file, err := os.Open(filepath.Clean(name))
	if err != nil {
		return nil, err
	}
	f := &importFile{Reader: file, size: -1, close: func() { _ = file.Close() }} // it was only read
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return f, err
	}
	// How a file is read is part of what it is.
	digest := sha256.New()
	fmt.Fprintf(digest, "%s\n%s\n%s\n", o.Format, o.Kind, o.NumberAttribute)
	if f.size, err = io.Copy(digest, file); err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.close()
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	f.digest = hex.EncodeToString(digest.Sum(nil))
	return f, nil
}

// rejects tells of records that are not taken: in a file, to which an import that
// goes on adds, or else the first of them to whoever watches.
type rejects struct {
	file  *os.File
	shown io.Writer
	count int
}

// maxShown is how many records that are not taken are shown without a file for them.
const maxShown = 50

func openRejects(env *environment, name string) (*rejects, error) {
	if name == "" {
		return &rejects{shown: env.stderr}, nil
	}
	file, err := os.OpenFile(filepath.Clean(name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	return &rejects{file: file}, err
}

func (r *rejects) add(rejected transfer.Rejection) error {
	r.count++
	line, err := json.Marshal(rejected)
	if err != nil {
		return err
	}
	if r.file != nil {
		_, err = r.file.Write(append(line, '\n'))
		return err
	}
	switch {
	case r.count <= maxShown:
		fmt.Fprintf(r.shown, "%s\n", line)
	case r.count == maxShown+1:
		fmt.Fprintln(r.shown, "and more: --rejects keeps them all in a file")
	}
	return nil
}

func (r *rejects) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
