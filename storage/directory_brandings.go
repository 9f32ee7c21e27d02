package storage

import (
	"context"

	"github.com/google/uuid"

	"gatehouse/directory"
)

const (
	emailBrandingColumns  = `b.id, b.name, b.colour, b.logo, b.text, b.alt_text, b.brand_type, b.created_by, b.created_at, b.updated_at`
	letterBrandingColumns = `b.id, b.name, b.filename, b.created_by, b.created_at, b.updated_at`
)

func emailBrandingFields(b *directory.EmailBranding) []any {
	return []any{
		&b.ID, &b.Name, &b.Colour, &b.Logo, &b.Text, &b.AltText, &b.BrandType, &b.CreatedBy, timeInto(&b.CreatedAt), timeInto(&b.UpdatedAt),
	}
}

func letterBrandingFields(b *directory.LetterBranding) []any {
	return []any{&b.ID, &b.Name, &b.Filename, &b.CreatedBy, timeInto(&b.CreatedAt), timeInto(&b.UpdatedAt)}
}

// EmailBrandings implements directory.Store.
func (d Directory) EmailBrandings(ctx context.Context) ([]directory.EmailBranding, error) {
	return d.emailBrandings(ctx, `select `+emailBrandingColumns+` from email_brandings b order by b.name`)
}

// EmailBrandingPool implements directory.Store.
func (d Directory) EmailBrandingPool(ctx context.Context, organisation uuid.UUID) ([]directory.EmailBranding, error) {
	return d.emailBrandings(ctx, `
		select `+emailBrandingColumns+` from organisation_email_branding_pool p
		join email_brandings b on b.id = p.email_branding_id where p.organisation_id = $1 order by b.name`, organisation)
}

func (d Directory) emailBrandings(ctx context.Context, query string, args ...any) ([]directory.EmailBranding, error) {
	var all []directory.EmailBranding
	err := d.DB.each(ctx, query, args, func(scan func(...any) error) error {
		var b directory.EmailBranding
		if err := scan(emailBrandingFields(&b)...); err != nil {
			return err
		}
		all = append(all, b)
		return nil
	})
	return all, err
}

// EmailBranding implements directory.Store.
func (d Directory) EmailBranding(ctx context.Context, id uuid.UUID) (*directory.EmailBranding, error) {
	var b directory.EmailBranding
	err := d.DB.row(ctx, `select `+emailBrandingColumns+` from email_brandings b where b.id = $1`, []any{id}, emailBrandingFields(&b)...)
	if err != nil {
		return nil, err
	}
	return &b, nil
}

// Brand implements directory.BrandStore.
func (d Directory) Brand(ctx context.Context, organisation uuid.UUID) (*directory.Brand, error) {
	var b directory.Brand
	err := d.DB.row(ctx, `
		select coalesce(nullif(b.text, ''), o.name), coalesce(b.colour, ''), coalesce(b.logo, ''), coalesce(b.brand_type = 'org_banner', false)
		from organisations o left join email_brandings b on b.id = o.email_branding_id and b.brand_type <> 'no_branding'
		where o.id = $1 and o.active`, []any{organisation}, &b.Name, &b.Colour, &b.Logo, &b.Banner)
	if err != nil {
		return nil, err
	}
	return &b, nil
}

// LockEmailBranding implements directory.Store.
func (d Directory) LockEmailBranding(ctx context.Context, id uuid.UUID) (*directory.EmailBranding, error) {
	if _, err := d.DB.exec(ctx, `update email_brandings set name = name where id = $1`, id); err != nil {
		return nil, err
	}
	return d.EmailBranding(ctx, id)
}

// CreateEmailBranding implements directory.Store.
func (d Directory) CreateEmailBranding(ctx context.Context, b *directory.EmailBranding) error {
	_, err := d.DB.exec(ctx, `
		insert into email_brandings (id, name, colour, logo, text, alt_text, brand_type, created_by, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		b.ID, b.Name, b.Colour, b.Logo, b.Text, b.AltText, b.BrandType, b.CreatedBy, b.CreatedAt)
	return err
}

// UpdateEmailBranding implements directory.Store.
func (d Directory) UpdateEmailBranding(ctx context.Context, b *directory.EmailBranding) error {
	_, err := d.DB.exec(ctx, `
		update email_brandings set name = $2, colour = $3, logo = $4, text = $5, alt_text = $6, brand_type = $7, updated_at = $8
		where id = $1`, b.ID, b.Name, b.Colour, b.Logo, b.Text, b.AltText, b.BrandType, b.UpdatedAt)
	return err
}

// LetterBrandings implements directory.Store.
func (d Directory) LetterBrandings(ctx context.Context) ([]directory.LetterBranding, error) {
	return d.letterBrandings(ctx, `select `+letterBrandingColumns+` from letter_brandings b order by b.name`)
}

// LetterBrandingPool implements directory.Store.
func (d Directory) LetterBrandingPool(ctx context.Context, organisation uuid.UUID) ([]directory.LetterBranding, error) {
	return d.letterBrandings(ctx, `
		select `+letterBrandingColumns+` from organisation_letter_branding_pool p
		join letter_brandings b on b.id = p.letter_branding_id where p.organisation_id = $1 order by b.name`, organisation)
}

func (d Directory) letterBrandings(ctx context.Context, query string, args ...any) ([]directory.LetterBranding, error) {
	var all []directory.LetterBranding
	err := d.DB.each(ctx, query, args, func(scan func(...any) error) error {
		var b directory.LetterBranding
		if err := scan(letterBrandingFields(&b)...); err != nil {
			return err
		}
		all = append(all, b)
		return nil
	})
	return all, err
}

// LetterBranding implements directory.Store.
func (d Directory) LetterBranding(ctx context.Context, id uuid.UUID) (*directory.LetterBranding, error) {
	var b directory.LetterBranding
	err := d.DB.row(ctx, `select `+letterBrandingColumns+` from letter_brandings b where b.id = $1`, []any{id}, letterBrandingFields(&b)...)
	if err != nil {
		return nil, err
	}
	return &b, nil
}

// LockLetterBranding implements directory.Store.
func (d Directory) LockLetterBranding(ctx context.Context, id uuid.UUID) (*directory.LetterBranding, error) {
	if _, err := d.DB.exec(ctx, `update letter_brandings set name = name where id = $1`, id); err != nil {
		return nil, err
	}
	return d.LetterBranding(ctx, id)
}

// CreateLetterBranding implements directory.Store.
func (d Directory) CreateLetterBranding(ctx context.Context, b *directory.LetterBranding) error {
	_, err := d.DB.exec(ctx, `
		insert into letter_brandings (id, name, filename, created_by, created_at) values ($1, $2, $3, $4, $5)`,
		b.ID, b.Name, b.Filename, b.CreatedBy, b.CreatedAt)
	return err
}

// UpdateLetterBranding implements directory.Store.
func (d Directory) UpdateLetterBranding(ctx context.Context, b *directory.LetterBranding) error {
	_, err := d.DB.exec(ctx, `update letter_brandings set name = $2, filename = $3, updated_at = $4 where id = $1`,
		b.ID, b.Name, b.Filename, b.UpdatedAt)
	return err
}

// RemoveFromEmailPool implements directory.Store.
func (d Directory) RemoveFromEmailPool(ctx context.Context, organisation, branding uuid.UUID) (bool, error) {
	n, err := d.DB.exec(ctx, `
		delete from organisation_email_branding_pool where organisation_id = $1 and email_branding_id = $2`, organisation, branding)
	return n > 0, err
}

// RemoveFromLetterPool implements directory.Store.
func (d Directory) RemoveFromLetterPool(ctx context.Context, organisation, branding uuid.UUID) (bool, error) {
	n, err := d.DB.exec(ctx, `
		delete from organisation_letter_branding_pool where organisation_id = $1 and letter_branding_id = $2`, organisation, branding)
	return n > 0, err
}

// AddToBrandingPools implements directory.Store.
func (d Directory) AddToBrandingPools(ctx context.Context, organisation uuid.UUID, email, letter uuid.NullUUID) error {
	if email.Valid {
		if _, err := d.DB.exec(ctx, `
			insert into organisation_email_branding_pool (organisation_id, email_branding_id) values ($1, $2)
			on conflict do nothing`, organisation, email.UUID); err != nil {
			return err
		}
	}
	if !letter.Valid {
		return nil
	}
	_, err := d.DB.exec(ctx, `
		insert into organisation_letter_branding_pool (organisation_id, letter_branding_id) values ($1, $2)
		on conflict do nothing`, organisation, letter.UUID)
	return err
}
