package storage

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// setAllowances gives services an allowance, or none where the year before was
// one of heavy use; the condition on s that follows chooses the services.
const (
	setAllowances = `
		insert into service_allowances (service_id, financial_year, free_sms_fragments, updated_at)
		select s.id, $2, case when (
			select coalesce(sum(u.billable_units), 0) from service_usage u
			where u.service_id = s.id and u.channel = 'sms' and u.day >= $5 and u.day < $6
		) >= $7 then 0 else $3 end, $4
		from services s where `
	replaceAllowances = `
		on conflict (service_id, financial_year) do update
		set free_sms_fragments = excluded.free_sms_fragments, updated_at = excluded.updated_at`
)

// SetServiceAllowance implements directory.Store.
func (d Directory) SetServiceAllowance(ctx context.Context, service uuid.UUID, a directory.Allowance) error {
	_, err := d.DB.exec(ctx, setAllowances+`s.id = $1`+replaceAllowances,
		service, a.Year, a.Fragments, a.At, firstDay(a.Year-1), firstDay(a.Year), a.HeavyUse)
	return err
}

// SetOrganisationAllowances implements directory.Store.
func (d Directory) SetOrganisationAllowances(ctx context.Context, organisation uuid.UUID, a directory.Allowance) error {
	_, err := d.DB.exec(ctx, setAllowances+`s.organisation_id = $1`+replaceAllowances,
		organisation, a.Year, a.Fragments, a.At, firstDay(a.Year-1), firstDay(a.Year), a.HeavyUse)
	return err
}

// firstDay is the day on which a financial year begins, as usage is dated.
func firstDay(year int) string { return fmt.Sprintf("%04d-04-01", year) }
