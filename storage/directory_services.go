package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// serviceColumns are scanned by serviceFields, in this order.
const serviceColumns = `s.id, s.name, s.active, s.restricted, s.organisation_id, s.organisation_type, s.crown, s.permissions,
	s.email_message_limit, s.sms_message_limit, s.letter_message_limit, s.email_branding_id, s.letter_branding_id, s.settings,
	s.has_active_go_live_request, s.go_live_user_id, s.go_live_at, s.created_by_id, s.created_at, s.updated_at`

func serviceFields(s *directory.Service) []any {
	return []any{
		&s.ID, &s.Name, &s.Active, &s.Restricted, &s.OrganisationID, stringInto((*string)(&s.OrganisationType)), &s.Crown,
		listInto(&s.Permissions), &s.EmailMessageLimit, &s.SMSMessageLimit, &s.LetterMessageLimit, &s.EmailBrandingID,
		&s.LetterBrandingID, settingsInto(&s.Settings), &s.HasActiveGoLiveRequest, &s.GoLiveUserID, timeInto(&s.GoLiveAt),
		&s.CreatedBy, timeInto(&s.CreatedAt), timeInto(&s.UpdatedAt),
	}
}

// settingsInto scans a JSON object.
func settingsInto(m *map[string]any) *settingsScanner { return &settingsScanner{m} }

type settingsScanner struct{ m *map[string]any }

// Scan implements sql.Scanner.
func (s *settingsScanner) Scan(src any) error {
	*s.m = map[string]any{}
	switch v := src.(type) {
	case string:
		return json.Unmarshal([]byte(v), s.m)
	case []byte:
		return json.Unmarshal(v, s.m)
	default:
		return fmt.Errorf("scan settings: unexpected %T", src)
	}
}

func settings(m map[string]any) (string, error) {
	if len(m) == 0 {
		return "{}", nil
	}
	text, err := json.Marshal(m)
	return string(text), err
}

// CreateService implements directory.Store.
func (d Directory) CreateService(ctx context.Context, s *directory.Service) error {
	kept, err := settings(s.Settings)
	if err != nil {
		return fmt.Errorf("encode settings: %w", err)
	}
	_, err = d.DB.exec(ctx, `
		insert into services (id, name, name_folded, active, restricted, organisation_id, organisation_type, crown, permissions,
			email_message_limit, sms_message_limit, letter_message_limit, email_branding_id, letter_branding_id, settings,
			has_active_go_live_request, go_live_user_id, go_live_at, created_by_id, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
		s.ID, s.Name, folded(s.Name), s.Active, s.Restricted, s.OrganisationID, nullable(string(s.OrganisationType)), s.Crown, s.Permissions,
		s.EmailMessageLimit, s.SMSMessageLimit, s.LetterMessageLimit, s.EmailBrandingID, s.LetterBrandingID, kept,
		s.HasActiveGoLiveRequest, s.GoLiveUserID, s.GoLiveAt, s.CreatedBy, s.CreatedAt)
	return err
}

// Service implements directory.Store.
func (d Directory) Service(ctx context.Context, id uuid.UUID) (*directory.Service, error) {
	var s directory.Service
	if err := d.DB.row(ctx, `select `+serviceColumns+` from services s where s.id = $1`, []any{id}, serviceFields(&s)...); err != nil {
		return nil, err
	}
	return &s, nil
}

// LockService implements directory.Store. Writing the row, if only what it
// holds, is a lock on both engines.
func (d Directory) LockService(ctx context.Context, id uuid.UUID) (*directory.Service, error) {
	if n, err := d.DB.exec(ctx, `update services set active = active where id = $1`, id); err != nil {
		return nil, err
	} else if n == 0 {
		return nil, directory.ErrNotFound
	}
	return d.Service(ctx, id)
}

// UpdateService implements directory.Store.
func (d Directory) UpdateService(ctx context.Context, s *directory.Service) error {
	kept, err := settings(s.Settings)
	if err != nil {
		return fmt.Errorf("encode settings: %w", err)
	}
	n, err := d.DB.exec(ctx, `
		update services set name = $2, active = $3, restricted = $4, organisation_id = $5, organisation_type = $6, crown = $7,
			permissions = $8, email_message_limit = $9, sms_message_limit = $10, letter_message_limit = $11,
			email_branding_id = $12, letter_branding_id = $13, settings = $14, has_active_go_live_request = $15,
			go_live_user_id = $16, go_live_at = $17, updated_at = $18, name_folded = $19
		where id = $1`,
		s.ID, s.Name, s.Active, s.Restricted, s.OrganisationID, nullable(string(s.OrganisationType)), s.Crown,
		s.Permissions, s.EmailMessageLimit, s.SMSMessageLimit, s.LetterMessageLimit,
		s.EmailBrandingID, s.LetterBrandingID, kept, s.HasActiveGoLiveRequest, s.GoLiveUserID, s.GoLiveAt, s.UpdatedAt, folded(s.Name))
	if err == nil && n == 0 {
		return directory.ErrNotFound
	}
	return err
}

// Services implements directory.Store.
func (d Directory) Services(ctx context.Context, q directory.ServiceQuery, limit int) ([]*directory.Service, error) {
	var after directory.Service
	if q.After != nil {
		after = *q.After
	}
	if q.UserID.Valid {
		return d.services(ctx, `
			select `+serviceColumns+` from service_members m join services s on s.id = m.service_id
			where m.user_id = $5 and (not $1 or s.active) and (s.created_at, s.id) > ($2, $3) order by s.created_at, s.id limit $4`,
			q.OnlyActive, first(after.CreatedAt), after.ID, limit, q.UserID.UUID)
	}
	return d.services(ctx, `
		select `+serviceColumns+` from services s
		where (not $1 or s.active) and (s.created_at, s.id) > ($2, $3) order by s.created_at, s.id limit $4`,
		q.OnlyActive, first(after.CreatedAt), after.ID, limit)
}

// ServicesNamed implements directory.Store.
func (d Directory) ServicesNamed(ctx context.Context, text string, limit int) ([]*directory.Service, error) {
	return d.services(ctx, `
		select `+serviceColumns+` from services s where s.name_folded like $1 escape '\'
		order by s.name_folded, s.id limit $2`, "%"+likeLiteral(folded(text))+"%", limit)
}

func (d Directory) services(ctx context.Context, query string, args ...any) ([]*directory.Service, error) {
	var all []*directory.Service
	err := d.DB.each(ctx, query, args, func(scan func(...any) error) error {
		var s directory.Service
		all = append(all, &s)
		return scan(serviceFields(&s)...)
	})
	return all, err
}

// TeamMembers implements directory.Store.
func (d Directory) TeamMembers(ctx context.Context, serviceID uuid.UUID) ([]directory.TeamMember, error) {
	var all []directory.TeamMember
	err := d.DB.each(ctx, `
		select m.user_id, u.email_address, u.state, m.permissions
		from service_members m join users u on u.id = m.user_id
		where m.service_id = $1 order by m.created_at, m.user_id`, []any{serviceID}, func(scan func(...any) error) error {
		var m directory.TeamMember
		var state directory.State
		if err := scan(&m.UserID, stringInto(&m.EmailAddress), &state, listInto(&m.Permissions)); err != nil {
			return err
		}
		m.Active = state == directory.Active
		all = append(all, m)
		return nil
	})
	return all, err
}

// DomainOwners implements directory.Store.
func (d Directory) DomainOwners(ctx context.Context, domains []string) (map[string]uuid.UUID, error) {
	owners := map[string]uuid.UUID{}
	for _, domain := range slices.Compact(slices.Sorted(slices.Values(domains))) {
		var owner uuid.UUID
		err := d.DB.row(ctx, `select organisation_id from organisation_domains where domain = $1`, []any{domain}, &owner)
		switch {
		case err == nil:
			owners[domain] = owner
		case !errors.Is(err, directory.ErrNotFound):
			return nil, err
		}
	}
	return owners, nil
}
