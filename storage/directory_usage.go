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

// SetUsage implements directory.Store.
func (d Directory) SetUsage(ctx context.Context, u directory.Usage) error {
	_, err := d.DB.exec(ctx, `
		insert into service_usage (service_id, day, channel, rate, notifications_sent, billable_units, updated_at)
		values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (service_id, day, channel, rate) do update
		set notifications_sent = excluded.notifications_sent, billable_units = excluded.billable_units, updated_at = excluded.updated_at`,
		u.ServiceID, u.Day, u.Channel, u.Rate, u.Sent, u.Billable, u.At)
	return err
}

// UsageOf implements directory.Store. The allowance is used up in the order of
// the days: r holds each row with the units sent until then, of which those
// beyond the allowance are charged at the row's rate.
func (d Directory) UsageOf(ctx context.Context, organisation uuid.UUID, year, allowance int) ([]directory.ServiceUsage, error) {
	var all []directory.ServiceUsage
	err := d.DB.each(ctx, `
		select s.id, s.name, s.active, coalesce(a.free_sms_fragments, $5),
			coalesce(t.emails_sent, 0), coalesce(t.sms_sent, 0), coalesce(t.sms_units, 0), coalesce(t.sms_charged, 0),
			coalesce(t.sms_cost, 0.0), coalesce(t.letters_sent, 0), coalesce(t.letter_cost, 0.0), t.updated_at
		from services s
		left join service_allowances a on a.service_id = s.id and a.financial_year = $2
		left join (
			select c.service_id,
				cast(sum(case c.channel when 'email' then c.notifications_sent else 0 end) as bigint) as emails_sent,
				cast(sum(case c.channel when 'sms' then c.notifications_sent else 0 end) as bigint) as sms_sent,
				cast(sum(case c.channel when 'sms' then c.billable_units else 0 end) as bigint) as sms_units,
				cast(sum(c.charged) as bigint) as sms_charged,
				sum(c.charged * c.rate) as sms_cost,
				cast(sum(case c.channel when 'letter' then c.notifications_sent else 0 end) as bigint) as letters_sent,
				sum(case c.channel when 'letter' then c.billable_units * c.rate else 0 end) as letter_cost,
				max(c.updated_at) as updated_at
			from (
				select r.*, case
					when r.channel <> 'sms' or r.running <= r.free then 0
					when r.running - r.billable_units >= r.free then r.billable_units
					else cast(r.running - r.free as bigint) end as charged
				from (
					select u.service_id, u.channel, u.rate, u.notifications_sent, u.billable_units, u.updated_at,
						coalesce(f.free_sms_fragments, $5) as free,
						sum(case u.channel when 'sms' then u.billable_units else 0 end)
							over (partition by u.service_id order by u.day, u.channel, u.rate) as running
					from services o
					join service_usage u on u.service_id = o.id and u.day >= $3 and u.day < $4
					left join service_allowances f on f.service_id = o.id and f.financial_year = $2
					where o.organisation_id = $1 and not o.restricted
				) r
			) c group by c.service_id
		) t on t.service_id = s.id
		where s.organisation_id = $1 and not s.restricted
		order by s.active desc, lower(s.name), s.name`,
		[]any{organisation, year, firstDay(year), firstDay(year + 1), allowance}, func(scan func(...any) error) error {
			var u directory.ServiceUsage
			if err := scan(&u.ServiceID, &u.Name, &u.Active, &u.Allowance, &u.EmailsSent, &u.SMSSent, &u.SMSUnits, &u.SMSCharged,
				&u.SMSCost, &u.LettersSent, &u.LetterCost, timeInto(&u.UpdatedAt)); err != nil {
				return err
			}
			all = append(all, u)
			return nil
		})
	return all, err
}
