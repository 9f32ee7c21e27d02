package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Folder holds templates of a service. The templates themselves are not kept here.
type Folder struct {
	ID        uuid.UUID
	ServiceID uuid.UUID
	ParentID  uuid.NullUUID // not valid at the top
	Name      string
	Users     []uuid.UUID // the members who see it
	CreatedAt time.Time
}

// What stands against a change of folders.
var (
	ErrFolderParent   = errors.New("no such parent folder")
	ErrFolderNotEmpty = errors.New("the folder is not empty")
	ErrFolderIntoSelf = errors.New("a folder cannot be in itself")
	ErrFolderIntoSub  = errors.New("a folder cannot be in its own subfolder")
)

// MissingFolderError names a folder that was to be moved and is not there.
type MissingFolderError struct{ ID uuid.UUID }

func (e *MissingFolderError) Error() string { return "no folder " + e.ID.String() }

func folderIn(all []*Folder, id uuid.UUID) *Folder {
	i := slices.IndexFunc(all, func(f *Folder) bool { return f.ID == id })
	if i < 0 {
		return nil
	}
	return all[i]
}

// CreateFolder writes a folder. Every active member sees one at the top; any
// other is seen by those who see its parent. Errors: [ErrNotFound] for the
// service, [ErrFolderParent].
func (r *Registry) CreateFolder(ctx context.Context, serviceID uuid.UUID, name string, parent uuid.NullUUID, actor Actor) (*Folder, error) {
	f := &Folder{ID: r.NewID(), ServiceID: serviceID, ParentID: parent, Name: name, CreatedAt: r.Clock()}
	err := r.changeFolders(ctx, serviceID, func(ctx context.Context, all []*Folder) error {
		if err := r.showFolder(ctx, f, all); err != nil {
			return err
		}
		if err := r.Store.CreateFolder(ctx, f); err != nil {
			return fmt.Errorf("create folder: %w", err)
		}
		if err := r.Store.SetFolderUsers(ctx, f); err != nil {
			return fmt.Errorf("show folder: %w", err)
		}
		return r.record(ctx, "create_template_folder", actor, f.ID.String(), map[string]any{"service_id": serviceID, "parent_id": parent, "users": f.Users})
	})
	return f, err
}

// changeFolders runs change while nobody else changes the folders of a service.
func (r *Registry) changeFolders(ctx context.Context, serviceID uuid.UUID, change func(ctx context.Context, all []*Folder) error) error {
	return r.Store.InTx(ctx, func(ctx context.Context) error {
		if _, err := r.Store.LockService(ctx, serviceID); err != nil {
			return fmt.Errorf("lock service: %w", err)
		}
		all, err := r.Store.Folders(ctx, serviceID)
		if err != nil {
			return fmt.Errorf("look up folders: %w", err)
		}
		return change(ctx, all)
	})
}

// showFolder fills in who sees a new folder.
func (r *Registry) showFolder(ctx context.Context, f *Folder, all []*Folder) error {
	if f.ParentID.Valid {
		parent := folderIn(all, f.ParentID.UUID)
		if parent == nil {
			return ErrFolderParent
		}
		f.Users = parent.Users
		return nil
	}
	members, err := r.Store.TeamMembers(ctx, f.ServiceID)
	if err != nil {
		return fmt.Errorf("look up team: %w", err)
	}
	for i := range members {
		if members[i].Active {
			f.Users = append(f.Users, members[i].UserID)
		}
	}
	return nil
}

// UpdateFolder renames a folder and, when users is not nil, replaces those who
// see it. [ErrNotFound] also for a user who is not a member.
func (r *Registry) UpdateFolder(ctx context.Context, serviceID, id uuid.UUID, name string, users []uuid.UUID, actor Actor) (*Folder, error) {
	var f *Folder
	err := r.changeFolders(ctx, serviceID, func(ctx context.Context, all []*Folder) error {
		if f = folderIn(all, id); f == nil {
			return fmt.Errorf("folder: %w", ErrNotFound)
		}
		before := *f
		f.Name = name
		if err := r.Store.UpdateFolder(ctx, f); err != nil {
			return fmt.Errorf("rename folder: %w", err)
		}
		if users != nil {
			f.Users = unique(users)
			if err := r.Store.SetFolderUsers(ctx, f); err != nil {
				return fmt.Errorf("show folder: %w", err)
			}
		}
		return r.record(ctx, "update_template_folder", actor, id.String(), map[string]any{
			"service_id": serviceID, "before": map[string]any{"name": before.Name, "users": before.Users},
			"after": map[string]any{"name": f.Name, "users": f.Users},
		})
	})
	return f, err
}

// DeleteFolder removes a folder without subfolders, else [ErrFolderNotEmpty].
func (r *Registry) DeleteFolder(ctx context.Context, serviceID, id uuid.UUID, actor Actor) error {
	return r.changeFolders(ctx, serviceID, func(ctx context.Context, all []*Folder) error {
		f := folderIn(all, id)
		if f == nil {
			return fmt.Errorf("folder: %w", ErrNotFound)
		}
		if slices.ContainsFunc(all, func(other *Folder) bool { return other.ParentID.Valid && other.ParentID.UUID == id }) {
			return ErrFolderNotEmpty
		}
		if err := r.Store.DeleteFolder(ctx, id); err != nil {
			return fmt.Errorf("delete folder: %w", err)
		}
		return r.record(ctx, "delete_template_folder", actor, id.String(), map[string]any{"service_id": serviceID, "before": map[string]any{"name": f.Name}})
	})
}

// MoveFolders moves folders into another, or to the top. Errors: [ErrNotFound]
// for the target, [*MissingFolderError], [ErrFolderIntoSelf], [ErrFolderIntoSub].
func (r *Registry) MoveFolders(ctx context.Context, serviceID uuid.UUID, target uuid.NullUUID, ids []uuid.UUID, actor Actor) error {
	return r.changeFolders(ctx, serviceID, func(ctx context.Context, all []*Folder) error {
		if target.Valid && folderIn(all, target.UUID) == nil {
			return fmt.Errorf("folder: %w", ErrNotFound)
		}
		for _, id := range ids {
			f := folderIn(all, id)
			if f == nil {
				return &MissingFolderError{id}
			}
			if err := mayMove(all, f, target); err != nil {
				return err
			}
			before := f.ParentID
			f.ParentID = target
			if err := r.Store.UpdateFolder(ctx, f); err != nil {
				return fmt.Errorf("move folder: %w", err)
			}
			data := map[string]any{"service_id": serviceID, "before": map[string]any{"parent_id": before}, "after": map[string]any{"parent_id": target}}
			if err := r.record(ctx, "move_template_folder", actor, id.String(), data); err != nil {
				return err
			}
		}
		return nil
	})
}

func mayMove(all []*Folder, f *Folder, target uuid.NullUUID) error {
	if target.Valid && target.UUID == f.ID {
		return ErrFolderIntoSelf
	}
	for target.Valid {
		above := folderIn(all, target.UUID)
		if above == nil {
			return nil
		}
		if above.ParentID.Valid && above.ParentID.UUID == f.ID {
			return ErrFolderIntoSub
		}
		target = above.ParentID
	}
	return nil
}
