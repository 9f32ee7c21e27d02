package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// EmailBranding is how e-mails of a service look. Pointers are nil where unset.
type EmailBranding struct {
	ID        uuid.UUID
	Name      string // unique
	Colour    *string
	Logo      *string // a file's name
	Text      *string
	AltText   *string
	BrandType string // one of BrandTypes
	CreatedBy uuid.NullUUID
	CreatedAt time.Time
	UpdatedAt time.Time // zero when never changed
}

// BrandTypes say where the logo of an e-mail branding stands.
func BrandTypes() []string { return []string{"org", "both", "org_banner", "no_branding"} }

// LetterBranding is how letters of a service look.
type LetterBranding struct {
	ID        uuid.UUID
	Name      string // unique
	Filename  string // unique; without its extension
	CreatedBy uuid.NullUUID
	CreatedAt time.Time
	UpdatedAt time.Time // zero when never changed
}

// brandingStore is the part of [Store] that keeps brandings and the pools that
// organisations choose from. Names that are taken are a [*ConflictError].
type brandingStore interface {
	EmailBrandings(ctx context.Context) ([]EmailBranding, error) // by name
	EmailBranding(ctx context.Context, id uuid.UUID) (*EmailBranding, error)
	// LockEmailBranding returns a branding that no other transaction changes
	// until the one in ctx ends.
	LockEmailBranding(ctx context.Context, id uuid.UUID) (*EmailBranding, error)
	CreateEmailBranding(ctx context.Context, b *EmailBranding) error
	UpdateEmailBranding(ctx context.Context, b *EmailBranding) error

	LetterBrandings(ctx context.Context) ([]LetterBranding, error) // by name
	LetterBranding(ctx context.Context, id uuid.UUID) (*LetterBranding, error)
	LockLetterBranding(ctx context.Context, id uuid.UUID) (*LetterBranding, error)
	CreateLetterBranding(ctx context.Context, b *LetterBranding) error
	UpdateLetterBranding(ctx context.Context, b *LetterBranding) error

	// EmailBrandingPool returns an organisation's brandings by name.
	EmailBrandingPool(ctx context.Context, organisation uuid.UUID) ([]EmailBranding, error)
	LetterBrandingPool(ctx context.Context, organisation uuid.UUID) ([]LetterBranding, error)
	// AddToBrandingPools puts brandings into an organisation's pools; present ones stay.
	AddToBrandingPools(ctx context.Context, organisation uuid.UUID, email, letter uuid.NullUUID) error
	// RemoveFromEmailPool reports whether the branding was in the pool.
	RemoveFromEmailPool(ctx context.Context, organisation, branding uuid.UUID) (bool, error)
	RemoveFromLetterPool(ctx context.Context, organisation, branding uuid.UUID) (bool, error)
}

// CreateEmailBranding writes an e-mail branding with its audit event.
func (r *Registry) CreateEmailBranding(ctx context.Context, b EmailBranding, actor Actor) (*EmailBranding, error) {
	b.ID, b.CreatedAt = r.NewID(), r.Clock()
	return &b, r.Store.InTx(ctx, func(ctx context.Context) error {
		if err := validText("name", b.Name); err != nil {
			return err
		}
		if err := r.Store.CreateEmailBranding(ctx, &b); err != nil {
			return fmt.Errorf("create email branding: %w", err)
		}
		return r.record(ctx, "create_email_branding", actor, b.ID.String(), map[string]any{"after": emailBrandingFacts(&b)})
	})
}

// ChangeEmailBranding lets change write new values into an e-mail branding.
func (r *Registry) ChangeEmailBranding(ctx context.Context, id uuid.UUID, change func(b *EmailBranding), actor Actor) (*EmailBranding, error) {
	var b *EmailBranding
	err := r.Store.InTx(ctx, func(ctx context.Context) (err error) {
		if b, err = r.Store.LockEmailBranding(ctx, id); err != nil {
			return fmt.Errorf("lock email branding: %w", err)
		}
		before := emailBrandingFacts(b)
		change(b)
		if err := validText("name", b.Name); err != nil {
			return err
		}
		b.UpdatedAt = r.Clock()
		if err := r.Store.UpdateEmailBranding(ctx, b); err != nil {
			return fmt.Errorf("update email branding: %w", err)
		}
		return r.record(ctx, "update_email_branding", actor, id.String(), map[string]any{"before": before, "after": emailBrandingFacts(b)})
	})
	return b, err
}

func emailBrandingFacts(b *EmailBranding) map[string]any {
	return map[string]any{"name": b.Name, "colour": b.Colour, "logo": b.Logo, "text": b.Text, "alt_text": b.AltText, "brand_type": b.BrandType}
}

// CreateLetterBranding writes a letter branding with its audit event.
func (r *Registry) CreateLetterBranding(ctx context.Context, b LetterBranding, actor Actor) (*LetterBranding, error) {
	b.ID, b.CreatedAt = r.NewID(), r.Clock()
	return &b, r.Store.InTx(ctx, func(ctx context.Context) error {
		if err := validText("name", b.Name); err != nil {
			return err
		}
		if err := r.Store.CreateLetterBranding(ctx, &b); err != nil {
			return fmt.Errorf("create letter branding: %w", err)
		}
		return r.record(ctx, "create_letter_branding", actor, b.ID.String(), map[string]any{"after": letterBrandingFacts(&b)})
	})
}

// ChangeLetterBranding lets change write new values into a letter branding.
func (r *Registry) ChangeLetterBranding(ctx context.Context, id uuid.UUID, change func(b *LetterBranding), actor Actor) (*LetterBranding, error) {
	var b *LetterBranding
	err := r.Store.InTx(ctx, func(ctx context.Context) (err error) {
		if b, err = r.Store.LockLetterBranding(ctx, id); err != nil {
			return fmt.Errorf("lock letter branding: %w", err)
		}
		before := letterBrandingFacts(b)
		change(b)
		if err := validText("name", b.Name); err != nil {
			return err
		}
		b.UpdatedAt = r.Clock()
		if err := r.Store.UpdateLetterBranding(ctx, b); err != nil {
			return fmt.Errorf("update letter branding: %w", err)
		}
		return r.record(ctx, "update_letter_branding", actor, id.String(), map[string]any{"before": before, "after": letterBrandingFacts(b)})
	})
	return b, err
}

func letterBrandingFacts(b *LetterBranding) map[string]any {
	return map[string]any{"name": b.Name, "filename": b.Filename}
}
