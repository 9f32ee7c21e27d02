package transfer

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// validMembership knows the permissions, and puts them as they are stored.
func validMembership(r *MembershipRecord) error {
	if err := validReference("user", r.User); err != nil {
		return err
	}
	if (r.Organisation == "") == (r.Service == "") {
		return errField("service", "Say either an organisation or a service.")
	}
	kind, of := r.place()
	all, err := storedPermissions(kind, r.Permissions)
	if err != nil || !printable(of) {
		return errField("permissions", "No such permission.")
	}
	r.Permissions = all
	return nil
}

// storedPermissions are those of a member of an organisation or service as they are stored.
func storedPermissions(kind string, names []string) ([]string, error) {
	if kind == KindOrganisation {
		return directory.OrganisationUserPermissions(names)
	}
	return directory.ServicePermissions(names)
}

// takeMemberships makes members of users who are here already.
func (i *Importer) takeMemberships(ctx context.Context, all []*item) error {
	known, changed, err := i.changed(ctx, all)
	if err != nil || len(changed) == 0 {
		return err
	}
	places, users := make([]*UserRecord, len(changed)), make([]string, len(changed))
	for n, it := range changed {
		r := it.record.(*MembershipRecord)
		places[n], users[n] = r.inline(), r.User
	}
	teams, err := i.teams(ctx, places)
	if err != nil {
		return err
	}
	members, err := i.Store.ImportedRecords(ctx, i.Source, KindUser, users)
	if err != nil {
		return fmt.Errorf("look up users: %w", err)
	}
	for n, it := range changed {
		user, ok := members[users[n]]
		if !ok && !i.seen.has(KindUser, users[n]) {
			it.unfit = errField("user", "Is not here.")
			continue
		}
		place, err := teams.placesOf(places[n])
		if err != nil {
			it.unfit = err
			continue
		}
		_, exists := known[it.externalID]
		if err := i.putMembership(ctx, it, exists, user.ID, place[0]); err != nil {
			return err
		}
	}
	return nil
}

// inline is the membership as it would stand with its user.
func (r *MembershipRecord) inline() *UserRecord {
	kind, of := r.place()
	if kind == KindOrganisation {
		return &UserRecord{Organisations: []Place{{Of: of, Permissions: r.Permissions}}}
	}
	return &UserRecord{Services: []Place{{Of: of, Permissions: r.Permissions}}}
}

func (i *Importer) putMembership(ctx context.Context, it *item, exists bool, user uuid.UUID, p place) error {
	i.seen.add(KindMembership, it.externalID)
	if exists {
		i.progress.Updated++
	} else {
		i.progress.Created++
	}
	if i.DryRun {
		return nil
	}
	now := i.Registry.Clock()
	if err := i.Store.PutMembership(ctx, p.kind, p.membership(user, now)); err != nil {
		return fmt.Errorf("put membership: %w", err)
	}
	kept := directory.Imported{Kind: KindMembership, ExternalID: it.externalID, ID: user, Digest: it.digest()}
	if err := i.Store.PutImported(ctx, i.Source, kept, now); err != nil {
		return fmt.Errorf("keep record: %w", err)
	}
	return i.Store.AppendEvent(ctx, i.event("import_membership", p.of, map[string]any{
		"of": p.kind, "user_id": user, "after": map[string]any{"permissions": p.permissions},
	}))
}
