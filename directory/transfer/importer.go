package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// Store keeps what is imported. Its errors are those of directory.Store.
type Store interface {
	InTx(ctx context.Context, f func(ctx context.Context) error) error
	AppendEvent(ctx context.Context, e directory.Event) error

	// StartImport returns how far the import of a file has come; one that was
	// finished starts again.
	StartImport(ctx context.Context, source, digest string, at time.Time) (directory.ImportProgress, error)
	// AdvanceImport writes how far it has come since from records; a
	// directory.ErrConflict when it is not there any more.
	AdvanceImport(ctx context.Context, p directory.ImportProgress, from int64) error
	// HoldImport makes others who import the file wait for the transaction's end;
	// a directory.ErrConflict when it is not at from records any more.
	HoldImport(ctx context.Context, p directory.ImportProgress, from int64) error
	// Recount lets the database see how much it holds by now.
	Recount(ctx context.Context) error
	// ImportedRecords returns which records of a source are here, by external id.
	ImportedRecords(ctx context.Context, source, kind string, externalIDs []string) (map[string]directory.Imported, error)
	// PutImported keeps where a record has gone, and its newest digest.
	PutImported(ctx context.Context, source string, r directory.Imported, at time.Time) error

	// UserClaims returns the users who have one of these values, as they are normalised.
	UserClaims(ctx context.Context, usernames, addresses, numbers []string) ([]directory.UserClaim, error)
	OrganisationsByName(ctx context.Context, names []string) (map[string]uuid.UUID, error)
	ServicesByName(ctx context.Context, names []string) (map[string]uuid.UUID, error)
	// ReserveUserNumbers reserves n numbers of the Delius API, all of them higher
	// than above, and returns the first.
	ReserveUserNumbers(ctx context.Context, n int, above int64) (first int64, err error)
	InsertImportedUsers(ctx context.Context, source string, users []directory.ImportedUser, at time.Time) error

	// LockUser keeps a user as it is, for everybody else, until the transaction ends.
	LockUser(ctx context.Context, id uuid.UUID) error
	User(ctx context.Context, id uuid.UUID) (*directory.User, error)
	UpdateUser(ctx context.Context, u *directory.User) error
	// PutMembership makes a member, or changes what one may do.
	PutMembership(ctx context.Context, kind string, m directory.Membership) error
}

// Passwords is what package authn does for users who were here before.
type Passwords interface {
	ImportPassword(ctx context.Context, userID uuid.UUID, hash string) error
	EndAccess(ctx context.Context, userID uuid.UUID, actor directory.Actor) error
}

// Importer writes what files hold. A record that cannot be taken is reported and
// leaves nothing behind; the others are written in batches, each with how far the
// import has come, in one transaction.
type Importer struct {
	Store     Store
	Registry  *directory.Registry
	Passwords Passwords
	Profiles  Profiles
	Actor     directory.Actor
	// DigestKeys are secrets for the digests of records, the newest first, at
	// least one: who reads the database must not find out by trial what is encrypted in it.
	DigestKeys [][]byte
	// Source is the name of the system that the records come from: their external
	// ids are its own.
	Source string
	// DryRun checks everything and writes nothing.
	DryRun bool
	// Reject is told of each record that is not taken. An error ends the import.
	Reject func(Rejection) error
	// Progress, when not nil, is told after each batch.
	Progress func(directory.ImportProgress)

	progress directory.ImportProgress
	recount  int64 // when as many records have been created, the database counts them
	seen     *seen // of a dry run
}

// Rejection is a record that was not taken. It holds no secret.
type Rejection struct {
	Line       int    `json:"line"`
	Type       string `json:"type,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
	Reason     string `json:"reason"`
}

// ErrElsewhere says that another process imports the same file of the same source.
var ErrElsewhere = errors.New("another process imports this file")

// Start returns how far the import of a file has come, which [Importer.Run] then
// goes on from. The digest is the file's, in hexadecimal; "" for what cannot be
// read twice, whose records are all looked at again.
func (i *Importer) Start(ctx context.Context, digest string) (directory.ImportProgress, error) {
	if digest == "" {
		digest = "stream " + i.Registry.NewID().String()
	}
	if i.DryRun {
		i.seen = newSeen()
		i.progress = directory.ImportProgress{Source: i.Source, Digest: digest}
		return i.progress, nil
	}
	var err error
	i.progress, err = i.Store.StartImport(ctx, i.Source, digest, i.Registry.Clock())
	if err != nil {
		return i.progress, fmt.Errorf("start import: %w", err)
	}
	return i.progress, nil
}

// Run imports a file from where its import has come to. An error ends it there;
// to go on, start it again.
func (i *Importer) Run(ctx context.Context, r io.Reader, o Options) (directory.ImportProgress, error) {
	records, err := o.open(r, i.Registry.Clock)
	if err != nil {
		return i.progress, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	p := pipeline{checker: &checker{registry: i.Registry, keys: i.DigestKeys}, skip: i.progress.Records}
	for b := range p.run(ctx, records) {
		<-b.ready
		if err := i.write(ctx, b.items); err != nil {
			return i.progress, err
		}
		if err := i.recounted(ctx); err != nil {
			return i.progress, err
		}
		if i.Progress != nil {
			i.Progress(i.progress)
		}
		if err := b.ended(); err != nil {
			return i.progress, fmt.Errorf("read: %w", err)
		}
	}
	if err := ctx.Err(); err != nil {
		return i.progress, err
	}
	return i.progress, i.finish(ctx)
}

// recounted lets the database count after the first batch, and each time there is
// four times as much: it must not go by plans that it made while it was empty.
func (i *Importer) recounted(ctx context.Context) error {
	const growth = 4
	if i.DryRun || i.progress.Created <= i.recount {
		return nil
	}
	i.recount = growth * i.progress.Created
	return i.Store.Recount(ctx)
}

func (i *Importer) finish(ctx context.Context) error {
	now := i.Registry.Clock()
	i.progress.UpdatedAt, i.progress.FinishedAt = now, now
	if i.DryRun {
		return nil
	}
	return i.advanced(i.Store.AdvanceImport(ctx, i.progress, i.progress.Records))
}

func (i *Importer) advanced(err error) error {
	if errors.Is(err, directory.ErrConflict) {
		return ErrElsewhere
	}
	return err
}

// write takes the items in their order, as many at once as can be.
func (i *Importer) write(ctx context.Context, items []item) error {
	for len(items) > 0 {
		n := together(items)
		if err := i.commit(ctx, items[:n]); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}

// together is how many of the first items may be written at once: of one kind,
// and none of them the successor of another.
func together(items []item) int {
	kind, ids := "", make(map[string]bool, len(items))
	for n := range items {
		it := &items[n]
		switch {
		case it.refused != nil:
			continue
		case kind != "" && it.kind != kind, ids[it.externalID] && it.kind != kindRole:
			return n
		}
		kind, ids[it.externalID] = it.kind, true
	}
	return len(items)
}

// commit writes items in one transaction. What a statement refuses is found by
// halves: a record that another process has just made impossible takes none of
// its neighbours with it.
func (i *Importer) commit(ctx context.Context, items []item) error {
	before := i.progress
	err := i.Store.InTx(ctx, func(ctx context.Context) error {
		i.progress = before
		if err := i.hold(ctx); err != nil {
			return err
		}
		if err := i.apply(ctx, items); err != nil {
			return err
		}
		// Before the end of the transaction: told twice is better than not at all.
		if err := i.report(items); err != nil || i.DryRun {
			return err
		}
		i.progress.UpdatedAt = i.Registry.Clock()
		return i.advanced(i.Store.AdvanceImport(ctx, i.progress, before.Records))
	})
	switch {
	case err == nil:
		return nil
	case !ofRecord(err):
		i.progress = before
		return fmt.Errorf("import record %d: %w", before.Records+1, err)
	case len(items) == 1:
		i.progress = before
		items[0].refused = err
		return i.commit(ctx, items)
	}
	i.progress = before
	half := len(items) / 2
	if err := i.commit(ctx, items[:half]); err != nil {
		return err
	}
	return i.commit(ctx, items[half:])
}

// hold lets one process at a time take records of a file: another would find
// its own in the way, and refuse them.
func (i *Importer) hold(ctx context.Context) error {
	if i.DryRun {
		return nil
	}
	return i.advanced(i.Store.HoldImport(ctx, i.progress, i.progress.Records))
}

func (i *Importer) report(items []item) error {
	for n := range items {
		it := &items[n]
		why := cmp.Or(it.refused, it.unfit)
		if why == nil {
			continue
		}
		if err := i.Reject(Rejection{Line: it.line, Type: it.kind, ExternalID: it.externalID, Reason: reasonOf(why)}); err != nil {
			return fmt.Errorf("report a record: %w", err)
		}
	}
	return nil
}

// ofRecord reports whether an error is a record's own fault.
func ofRecord(err error) bool {
	return errors.Is(err, directory.ErrConflict) || errors.Is(err, directory.ErrInvalid) ||
		errors.Is(err, directory.ErrNotFound) || errors.Is(err, authn.ErrForeignHash)
}

// apply decides about each item and writes what there is to write.
func (i *Importer) apply(ctx context.Context, items []item) error {
	var take []*item
	for n := range items {
		items[n].unfit = nil
		if items[n].refused == nil {
			take = append(take, &items[n])
		}
	}
	if len(take) > 0 {
		if err := i.takeAll(ctx, take); err != nil {
			return err
		}
	}
	for n := range items {
		i.progress.Records++
		if items[n].refused != nil || items[n].unfit != nil {
			i.progress.Rejected++
		}
	}
	return nil
}

func (i *Importer) takeAll(ctx context.Context, take []*item) error {
	switch take[0].kind {
	case KindUser:
		return i.takeUsers(ctx, take)
	case kindRole:
		return i.takeRoles(ctx, take)
	case KindMembership:
		return i.takeMemberships(ctx, take)
	case KindProfile:
		return i.takeProfiles(ctx, take)
	}
	for _, it := range take {
		if err := i.takeTeam(ctx, it); err != nil {
			return err
		}
	}
	return nil
}

// reasonOf is an error in words for whoever has the file. Those of this module do
// not hold what stood there.
func reasonOf(err error) string {
	if conflict, ok := errors.AsType[*directory.ConflictError](err); ok {
		return conflict.Error()
	}
	if errors.Is(err, directory.ErrNotFound) && !errors.Is(err, directory.ErrInvalid) {
		return "refers to something that is not here"
	}
	return err.Error()
}
