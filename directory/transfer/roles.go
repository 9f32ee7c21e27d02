package transfer

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// takeRoles adds roles to users that are here already.
func (i *Importer) takeRoles(ctx context.Context, all []*item) error {
	known, err := i.known(ctx, KindUser, all)
	if err != nil {
		return err
	}
	granted := map[uuid.UUID][]*item{}
	var order []uuid.UUID
	for _, it := range all {
		here, ok := known[it.externalID]
		switch {
		case ok:
			if granted[here.ID] == nil {
				order = append(order, here.ID)
			}
			granted[here.ID] = append(granted[here.ID], it)
		case i.seen.has(KindUser, it.externalID):
			i.progress.Updated++
		default:
			it.unfit = errField("roles", "Of a user who is not here.")
		}
	}
	for _, id := range order {
		if err := i.grantRoles(ctx, id, granted[id]); err != nil {
			return err
		}
	}
	return nil
}

// grantRoles adds roles to a user who was not archived here. Each of them is a record
// of its own.
func (i *Importer) grantRoles(ctx context.Context, id uuid.UUID, all []*item) error {
	u, err := i.held(ctx, id)
	if err != nil {
		return err
	}
	before := slices.Clone(u.Roles)
	for _, it := range all {
		role := it.record.(*roleRecord).Role
		if u.Archived() {
			it.unfit = errField("roles", "Of a user who was archived here.")
			continue
		}
		if slices.Contains(u.Roles, role) {
			i.progress.Unchanged++
			continue
		}
		i.progress.Updated++
		u.Roles = append(u.Roles, role)
	}
	if len(u.Roles) == len(before) || i.DryRun {
		return nil
	}
	u.UpdatedAt = i.Registry.Clock()
	if err := i.Store.UpdateUser(ctx, u); err != nil {
		return fmt.Errorf("update user: %w", err)
	}
	return i.Store.AppendEvent(ctx, i.event("reimport_user", id, map[string]any{"roles_before": before, "roles_after": u.Roles}))
}
