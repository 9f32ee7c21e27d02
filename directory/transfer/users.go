package transfer

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// takeUsers creates users who are new and changes those who are not. A record
// that is the same as the last time is left alone, so that what was changed here
// since stays.
func (i *Importer) takeUsers(ctx context.Context, all []*item) error {
	known, changed, err := i.changed(ctx, all)
	if err != nil || len(changed) == 0 {
		return err
	}
	claims, err := i.claims(ctx, changed)
	if err != nil {
		return err
	}
	records := make([]*UserRecord, len(changed))
	for n, it := range changed {
		records[n] = it.record.(*UserRecord)
	}
	teams, err := i.teams(ctx, records)
	if err != nil {
		return err
	}
	var created []directory.ImportedUser
	for n, it := range changed {
		here, exists := known[it.externalID]
		places, err := teams.placesOf(records[n])
		if err == nil {
			err = claims.take(it.wantsKey, here.ID)
		}
		if err != nil {
			it.unfit = err
			continue
		}
		i.seen.add(KindUser, it.externalID)
		if !exists {
			created = append(created, i.imported(it, places))
		} else if err := i.changeUser(ctx, it, here, places); err != nil {
			return err
		}
	}
	return i.createUsers(ctx, created)
}

// changed looks up which of the records are here already, and leaves out those
// that are the same as the last time.
func (i *Importer) changed(ctx context.Context, all []*item) (known map[string]directory.Imported, changed []*item, err error) {
	kind := all[0].kind
	known, err = i.known(ctx, kind, all)
	if err != nil {
		return nil, nil, err
	}
	for _, it := range all {
		here, ok := known[it.externalID]
		switch {
		case ok && it.digests.has(here.Digest):
			i.progress.Unchanged++
		case i.seen.has(kind, it.externalID):
			i.progress.Updated++ // it comes a second time in the file
		default:
			changed = append(changed, it)
		}
	}
	return known, changed, nil
}

// known looks up which of these records are here already.
func (i *Importer) known(ctx context.Context, kind string, all []*item) (map[string]directory.Imported, error) {
	ids := make([]string, len(all))
	for n, it := range all {
		ids[n] = it.externalID
	}
	known, err := i.Store.ImportedRecords(ctx, i.Source, kind, ids)
	if err != nil {
		return nil, fmt.Errorf("look up records: %w", err)
	}
	return known, nil
}

// imported is a new user with all that is theirs.
func (i *Importer) imported(it *item, places []place) directory.ImportedUser {
	u := it.user
	n := directory.ImportedUser{
		Imported: directory.Imported{Kind: KindUser, ExternalID: it.externalID, ID: u.ID, Digest: it.digest()},
		User:     u, PasswordHash: it.hash, Event: i.event("import_user", u.ID, userFacts(u)),
	}
	for _, p := range places {
		m := p.membership(u.ID, i.Registry.Clock())
		if p.kind == KindService {
			n.Services = append(n.Services, m)
		} else {
			n.Organisations = append(n.Organisations, m)
		}
	}
	return n
}

// userFacts are what the audit trail keeps of a user: nothing personal.
func userFacts(u *directory.User) map[string]any {
	return map[string]any{"auth_type": u.AuthType, "state": u.State, "platform_admin": u.PlatformAdmin, "roles": u.Roles}
}

func (i *Importer) event(kind string, subject uuid.UUID, data map[string]any) directory.Event {
	data["source"] = i.Source
	return directory.Event{ID: i.Registry.NewID(), Type: kind, Actor: i.Actor, Subject: subject.String(), Data: data, At: i.Registry.Clock()}
}

// createUsers numbers those of the Delius API who bring no number, and writes all.
func (i *Importer) createUsers(ctx context.Context, all []directory.ImportedUser) error {
	i.progress.Created += int64(len(all))
	if len(all) == 0 || i.DryRun {
		return nil
	}
	var unnumbered []*directory.User
	var highest int64
	for n := range all {
		u := all[n].User
		highest = max(highest, u.Number)
		if u.Username != "" && u.Number == 0 {
			unnumbered = append(unnumbered, u)
		}
	}
	if len(unnumbered) > 0 || highest > 0 {
		first, err := i.Store.ReserveUserNumbers(ctx, len(unnumbered), highest)
		if err != nil {
			return fmt.Errorf("number users: %w", err)
		}
		for n, u := range unnumbered {
			u.Number = first + int64(n)
		}
	}
	return i.Store.InsertImportedUsers(ctx, i.Source, all, i.Registry.Clock())
}

// changeUser writes what is new in a record over a user who came before. Who is
// not to sign in any more is signed out everywhere. One who was archived here is not
// brought back.
func (i *Importer) changeUser(ctx context.Context, it *item, here directory.Imported, places []place) error {
	u, err := i.held(ctx, here.ID)
	switch {
	case err != nil:
		return err
	case u.Archived():
		it.unfit = errField("external_id", "Was archived here.")
		return nil
	case i.DryRun:
		i.progress.Updated++
		return nil
	}
	before, active := userFacts(u), u.State != directory.Inactive
	it.record.(*UserRecord).over(u, it.user)
	u.UpdatedAt = i.Registry.Clock()
	if err := i.Store.UpdateUser(ctx, u); err != nil {
		return fmt.Errorf("update user: %w", err)
	}
	for _, p := range places {
		if err := i.Store.PutMembership(ctx, p.kind, p.membership(u.ID, u.UpdatedAt)); err != nil {
			return fmt.Errorf("put membership: %w", err)
		}
	}
	if it.hash != "" {
		if err := i.Passwords.ImportPassword(ctx, u.ID, it.hash); err != nil {
			return err
		}
	}
	if active && u.State == directory.Inactive {
		if err := i.Passwords.EndAccess(ctx, u.ID, i.Actor); err != nil {
			return err
		}
	}
	here.Digest = it.digest()
	if err := i.Store.PutImported(ctx, i.Source, here, u.UpdatedAt); err != nil {
		return fmt.Errorf("keep record: %w", err)
	}
	i.progress.Updated++
	return i.Store.AppendEvent(ctx, i.event("reimport_user", u.ID, map[string]any{"before": before, "after": userFacts(u)}))
}

// held looks a user up and, unless nothing is written, lets nobody else change them
// before the transaction ends.
func (i *Importer) held(ctx context.Context, id uuid.UUID) (*directory.User, error) {
	if !i.DryRun {
		if err := i.Store.LockUser(ctx, id); err != nil {
			return nil, fmt.Errorf("lock user: %w", err)
		}
	}
	u, err := i.Store.User(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("look up user: %w", err)
	}
	return u, nil
}

// over writes what a record says over a user: what it leaves out stays. Of an address
// that is new, only the record says that it was proved.
func (r *UserRecord) over(u, from *directory.User) {
	u.Name, u.FirstName, u.Surname = from.Name, from.FirstName, from.Surname
	if r.PlatformAdmin != nil {
		u.PlatformAdmin = *r.PlatformAdmin
	}
	if r.State != "" || r.Enabled != nil {
		u.State = from.State
	}
	if r.Username != "" {
		u.Username = from.Username
	}
	if r.Number != 0 {
		u.Number = from.Number
	}
	if r.EmailAddress != "" {
		if directory.NormaliseEmail(u.EmailAddress) != directory.NormaliseEmail(from.EmailAddress) {
			u.EmailAccessValidatedAt = from.EmailAccessValidatedAt
		}
		u.EmailAddress = from.EmailAddress
	}
	if r.MobileNumber != "" {
		u.MobileNumber = from.MobileNumber
	}
	if r.AuthType != "" {
		u.AuthType = from.AuthType
	}
	if r.Roles != nil {
		u.Roles = from.Roles
	}
}
