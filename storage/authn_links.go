package storage

import (
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
)

// linkColumns are scanned by linkFields, in this order.
const linkColumns = `hash, purpose, user_id, sealed, created_at, expires_at`

func linkFields(l *authn.Link) []any {
	return []any{&l.Hash, (*string)(&l.Purpose), &l.UserID, &l.Sealed, timeInto(&l.CreatedAt), timeInto(&l.ExpiresAt)}
}

// PutLink implements authn.Store.
func (a Authn) PutLink(ctx context.Context, l *authn.Link) error {
	_, err := a.DB.exec(ctx, `
		insert into links (hash, purpose, user_id, sealed, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)`,
		l.Hash, string(l.Purpose), l.UserID, l.Sealed, l.CreatedAt, l.ExpiresAt)
	return err
}

// Link implements authn.Store.
func (a Authn) Link(ctx context.Context, p authn.LinkPurpose, hash []byte, now time.Time) (*authn.Link, error) {
	var l authn.Link
	err := a.DB.row(ctx, `
		select `+linkColumns+` from links where hash = $1 and purpose = $2 and used_at is null and expires_at > $3`,
		[]any{hash, string(p), now}, linkFields(&l)...)
	if err != nil {
		return nil, err
	}
	return &l, nil
}

// UseLink implements authn.Store. The condition and the use are one statement.
func (a Authn) UseLink(ctx context.Context, p authn.LinkPurpose, hash []byte, now time.Time) (*authn.Link, error) {
	var l authn.Link
	err := a.DB.row(ctx, `
		update links set used_at = $3 where hash = $1 and purpose = $2 and used_at is null and expires_at > $3
		returning `+linkColumns,
		[]any{hash, string(p), now}, linkFields(&l)...)
	if err != nil {
		return nil, err
	}
	return &l, nil
}

// EndLinks implements authn.Store.
func (a Authn) EndLinks(ctx context.Context, userID uuid.UUID, at time.Time) error {
	_, err := a.DB.exec(ctx, `update links set used_at = $2 where user_id = $1 and used_at is null`, userID, at)
	return err
}
