package storage

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// Folders implements directory.Store.
func (d Directory) Folders(ctx context.Context, serviceID uuid.UUID) ([]*directory.Folder, error) {
	var all []*directory.Folder
	err := d.DB.each(ctx, `
		select f.id, f.parent_id, f.name, f.created_at, m.user_id
		from template_folders f left join template_folder_members m on m.folder_id = f.id
		where f.service_id = $1 order by f.name, f.id, m.user_id`, []any{serviceID}, func(scan func(...any) error) error {
		f := directory.Folder{ServiceID: serviceID}
		var user uuid.NullUUID
		if err := scan(&f.ID, &f.ParentID, &f.Name, timeInto(&f.CreatedAt), &user); err != nil {
			return err
		}
		if len(all) == 0 || all[len(all)-1].ID != f.ID {
			all = append(all, &f)
		}
		if user.Valid {
			last := all[len(all)-1]
			last.Users = append(last.Users, user.UUID)
		}
		return nil
	})
	return all, err
}

// CreateFolder implements directory.Store.
func (d Directory) CreateFolder(ctx context.Context, f *directory.Folder) error {
	_, err := d.DB.exec(ctx, `insert into template_folders (id, service_id, parent_id, name, created_at) values ($1, $2, $3, $4, $5)`,
		f.ID, f.ServiceID, f.ParentID, f.Name, f.CreatedAt)
	return err
}

// UpdateFolder implements directory.Store.
func (d Directory) UpdateFolder(ctx context.Context, f *directory.Folder) error {
	n, err := d.DB.exec(ctx, `update template_folders set name = $2, parent_id = $3 where id = $1`, f.ID, f.Name, f.ParentID)
	return oneRow(n, err)
}

// DeleteFolder implements directory.Store.
func (d Directory) DeleteFolder(ctx context.Context, id uuid.UUID) error {
	n, err := d.DB.exec(ctx, `delete from template_folders where id = $1`, id)
	return oneRow(n, err)
}

// SetFolderUsers implements directory.Store.
func (d Directory) SetFolderUsers(ctx context.Context, f *directory.Folder) error {
	if _, err := d.DB.exec(ctx, `delete from template_folder_members where folder_id = $1`, f.ID); err != nil {
		return err
	}
	for _, user := range f.Users {
		if err := d.showFolder(ctx, f.ID, f.ServiceID, user); err != nil {
			return err
		}
	}
	return nil
}

// SetMemberFolders implements directory.Store.
func (d Directory) SetMemberFolders(ctx context.Context, serviceID, userID uuid.UUID, folders []uuid.UUID) error {
	if _, err := d.DB.exec(ctx, `delete from template_folder_members where service_id = $1 and user_id = $2`, serviceID, userID); err != nil {
		return err
	}
	for _, folder := range folders {
		if err := d.showFolder(ctx, folder, serviceID, userID); err != nil {
			return err
		}
	}
	return nil
}

func (d Directory) showFolder(ctx context.Context, folder, service, user uuid.UUID) error {
	_, err := d.DB.exec(ctx, `insert into template_folder_members (folder_id, service_id, user_id) values ($1, $2, $3)`, folder, service, user)
	return err
}

// FolderExists implements directory.Store.
func (d Directory) FolderExists(ctx context.Context, id uuid.UUID) (bool, error) {
	var found uuid.UUID
	err := d.DB.row(ctx, `select id from template_folders where id = $1`, []any{id}, &found)
	if errors.Is(err, directory.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
