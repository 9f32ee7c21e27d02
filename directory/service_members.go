package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// What stands against a change of a service's team.
var (
	// ErrNotMember says that the user is not in the team.
	ErrNotMember = errors.New("not a member")
	// ErrTeamTooSmall says that too few would remain, see [Team].
	ErrTeamTooSmall = errors.New("too few team members would remain")
)

// Rights are what a member of a service may do and see.
type Rights struct {
	Permissions []string // as stored, see [ServicePermissions]
	// Folders are the template folders; nil leaves those of a member as they are.
	Folders []uuid.UUID
}

// AddServiceMember adds a user to a service's team. Folders that do not exist are
// left out, as they may have been deleted since the user was invited; one of another
// service is [ErrNotFound]. A member is a [*ConflictError].
func (r *Registry) AddServiceMember(ctx context.Context, serviceID, userID uuid.UUID, rights Rights, actor Actor) error {
	return r.Store.InTx(ctx, func(ctx context.Context) error {
		if _, err := r.Store.LockService(ctx, serviceID); err != nil {
			return fmt.Errorf("lock service: %w", err)
		}
		if err := r.guard(ctx, teamChange{service: serviceID, member: userID, after: rights.Permissions}); err != nil {
			return err
		}
		folders, err := r.existingFolders(ctx, serviceID, rights.Folders)
		if err != nil {
			return err
		}
		member := Membership{UserID: userID, Of: serviceID, Permissions: rights.Permissions, CreatedAt: r.Clock()}
		if err := r.Store.AddServiceMember(ctx, member); err != nil {
			return fmt.Errorf("add member: %w", err)
		}
		if err := r.Store.SetMemberFolders(ctx, serviceID, userID, folders); err != nil {
			return fmt.Errorf("give folders: %w", err)
		}
		return r.record(ctx, "add_user_to_service", actor, serviceID.String(), map[string]any{
			"user_id": userID, "after": map[string]any{"permissions": rights.Permissions, "folders": folders},
		})
	})
}

// existingFolders returns those of the folders that are the service's.
func (r *Registry) existingFolders(ctx context.Context, serviceID uuid.UUID, wanted []uuid.UUID) ([]uuid.UUID, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	all, err := r.Store.Folders(ctx, serviceID)
	if err != nil {
		return nil, fmt.Errorf("look up folders: %w", err)
	}
	var found []uuid.UUID
	for _, id := range unique(wanted) {
		if folderIn(all, id) != nil {
			found = append(found, id)
			continue
		}
		if elsewhere, err := r.Store.FolderExists(ctx, id); err != nil {
			return nil, fmt.Errorf("look up folder: %w", err)
		} else if elsewhere {
			return nil, fmt.Errorf("folder of another service: %w", ErrNotFound)
		}
	}
	return found, nil
}

func unique(ids []uuid.UUID) []uuid.UUID {
	var all []uuid.UUID
	for _, id := range ids {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}

// SetServiceRights replaces a member's permissions, and the folders when they are
// given; all of these must be the service's. Errors: [ErrNotFound],
// [ErrTeamTooSmall].
func (r *Registry) SetServiceRights(ctx context.Context, serviceID, userID uuid.UUID, rights Rights, actor Actor) error {
	return r.Store.InTx(ctx, func(ctx context.Context) error {
		team, err := r.lockTeam(ctx, serviceID)
		if err != nil {
			return err
		}
		member, err := r.Store.ServiceMember(ctx, serviceID, userID)
		if err != nil {
			return fmt.Errorf("look up member: %w", err)
		}
		if err := r.guard(ctx, teamChange{service: serviceID, member: userID, before: member.Permissions, after: rights.Permissions}); err != nil {
			return err
		}
		if !team.MayChange(userID, rights.Permissions) {
			return ErrTeamTooSmall
		}
		if err := r.Store.SetServiceMember(ctx, serviceID, userID, rights.Permissions); err != nil {
			return fmt.Errorf("set permissions: %w", err)
		}
		data := map[string]any{
			"user_id": userID, "before": map[string]any{"permissions": member.Permissions},
			"after": map[string]any{"permissions": rights.Permissions},
		}
		if rights.Folders != nil {
			if err := r.setFolders(ctx, serviceID, userID, rights.Folders); err != nil {
				return err
			}
			data["folders"] = rights.Folders
		}
		return r.record(ctx, "set_user_permissions", actor, serviceID.String(), data)
	})
}

func (r *Registry) setFolders(ctx context.Context, serviceID, userID uuid.UUID, folders []uuid.UUID) error {
	all, err := r.Store.Folders(ctx, serviceID)
	if err != nil {
		return fmt.Errorf("look up folders: %w", err)
	}
	for _, id := range folders {
		if folderIn(all, id) == nil {
			return fmt.Errorf("folder: %w", ErrNotFound)
		}
	}
	if err := r.Store.SetMemberFolders(ctx, serviceID, userID, unique(folders)); err != nil {
		return fmt.Errorf("give folders: %w", err)
	}
	return nil
}

// RemoveServiceMember takes a user out of a service's team. Errors: [ErrNotFound]
// for the service, [ErrNotMember], [ErrTeamTooSmall].
func (r *Registry) RemoveServiceMember(ctx context.Context, serviceID, userID uuid.UUID, actor Actor) error {
	return r.Store.InTx(ctx, func(ctx context.Context) error {
		team, err := r.lockTeam(ctx, serviceID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(team.Members, func(m TeamMember) bool { return m.UserID == userID })
		if i < 0 {
			return ErrNotMember
		}
		if err := r.guard(ctx, teamChange{service: serviceID, member: userID}); err != nil {
			return err
		}
		if !team.MayRemove(userID) {
			return ErrTeamTooSmall
		}
		if err := r.Store.RemoveServiceMember(ctx, serviceID, userID); err != nil {
			return fmt.Errorf("remove member: %w", err)
		}
		return r.record(ctx, "remove_user_from_service", actor, serviceID.String(), map[string]any{
			"user_id": userID, "before": map[string]any{"permissions": team.Members[i].Permissions},
		})
	})
}
