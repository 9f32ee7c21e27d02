package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Channels are what services send by.
func Channels() []string { return []string{"email", "sms", "letter"} }

// Usage is what a service sent on one day by one channel at one rate.
type Usage struct {
	ServiceID uuid.UUID
	Day       string  // 2026-01-31
	Channel   string  // one of Channels
	Rate      float64 // pounds a unit
	Sent      int64
	Billable  int64 // units: fragments of text messages, sheets of letters
	At        time.Time
}

// ServiceUsage is what a service that is not in trial mode sent in a financial year.
type ServiceUsage struct {
	ServiceID  uuid.UUID
	Name       string
	Active     bool
	Allowance  int64 // text message fragments free of charge
	EmailsSent int64
	SMSSent    int64
	SMSUnits   int64
	// SMSCharged are the units beyond the allowance, SMSCost what they cost
	// at the rates of the days on which they were sent.
	SMSCharged  int64
	SMSCost     float64
	LettersSent int64
	LetterCost  float64
	UpdatedAt   time.Time // zero when nothing was sent
}

// usageStore is the part of [Store] that keeps what services sent and what they
// may send free of charge.
type usageStore interface {
	// SetServiceAllowance writes the allowance of one service for a year.
	SetServiceAllowance(ctx context.Context, service uuid.UUID, a Allowance) error
	// SetOrganisationAllowances is the same for all services of an organisation.
	SetOrganisationAllowances(ctx context.Context, organisation uuid.UUID, a Allowance) error
	// SetUsage replaces what is known of a service, day, channel and rate.
	SetUsage(ctx context.Context, u Usage) error
	// UsageOf returns the usage of an organisation's services in a year, active
	// ones first, then by name. A service without an allowance of that year has
	// the one given.
	UsageOf(ctx context.Context, organisation uuid.UUID, year, allowance int) ([]ServiceUsage, error)
}

// TakeUsage writes what a service sent. Errors: [ErrNotFound].
func (r *Registry) TakeUsage(ctx context.Context, u Usage, actor Actor) error {
	u.At = r.Clock()
	return r.Store.InTx(ctx, func(ctx context.Context) error {
		if err := r.Store.SetUsage(ctx, u); err != nil {
			return fmt.Errorf("set usage: %w", err)
		}
		return r.record(ctx, "take_usage", actor, u.ServiceID.String(), map[string]any{
			"date": u.Day, "channel": u.Channel, "rate": u.Rate, "notifications_sent": u.Sent, "billable_units": u.Billable,
		})
	})
}

// OrganisationUsage returns what an organisation's services sent in a financial
// year; nothing for an organisation that does not exist.
func (r *Registry) OrganisationUsage(ctx context.Context, organisation uuid.UUID, year int) ([]ServiceUsage, error) {
	o, err := r.Store.Organisation(ctx, organisation)
	if err != nil {
		return nil, err
	}
	return r.Store.UsageOf(ctx, organisation, year, FreeAllowance(o.Type, year))
}
