package notify

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// UsageRoute is where usage is taken in. It has a scope of its own: protect is
// not the gate of the other routes.
func (a *API) UsageRoute(protect func(web.Handler) web.Handler) web.Route {
	return protected(protect, http.MethodPost, "/service/{service_id}/usage", a.takeUsage, "service_id")
}

// usageItem is a service's usage: the keys of the documentation (seed 001) and
// those of upstream, in alphabetical order. Costs are in pounds.
type usageItem struct {
	Active                bool      `json:"active"`
	ChargeableBillableSMS int64     `json:"chargeable_billable_sms"`
	EmailTotals           int64     `json:"email_totals"`
	EmailsSent            int64     `json:"emails_sent"`
	FreeSMSLimit          int64     `json:"free_sms_limit"`
	LetterCost            float64   `json:"letter_cost"`
	LetterTotals          int64     `json:"letter_totals"`
	ServiceID             uuid.UUID `json:"service_id"`
	ServiceName           string    `json:"service_name"`
	SMSBillableUnits      int64     `json:"sms_billable_units"`
	SMSCost               float64   `json:"sms_cost"`
	SMSRemainder          int64     `json:"sms_remainder"`
	SMSTotals             int64     `json:"sms_totals"`
}

type usageReport struct {
	Services  []usageItem `json:"services"`
	UpdatedAt instant     `json:"updated_at"`
}

// organisationUsage answers GET /organisation/{organisation_id}/services-with-usage.
func (a *API) organisationUsage(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "organisation_id")
	if err != nil {
		return err
	}
	year, err := strconv.Atoi(r.URL.Query().Get("year"))
	if err != nil || year < 1 || year > 9998 {
		return fault(http.StatusBadRequest, "No valid year provided")
	}
	all, err := a.Registry.OrganisationUsage(r.Context(), id, year)
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return err
	}
	report := usageReport{Services: each(all, usageItemOf)}
	if year == directory.FinancialYear(a.Registry.Clock()) {
		for _, u := range all {
			if u.UpdatedAt.After(time.Time(report.UpdatedAt)) {
				report.UpdatedAt = instant(u.UpdatedAt)
			}
		}
	}
	return writeJSON(w, r, http.StatusOK, report)
}

func usageItemOf(u *directory.ServiceUsage) usageItem {
	return usageItem{
		Active: u.Active, ChargeableBillableSMS: u.SMSCharged, EmailTotals: u.EmailsSent, EmailsSent: u.EmailsSent,
		FreeSMSLimit: u.Allowance, LetterCost: pounds(u.LetterCost), LetterTotals: u.LettersSent, ServiceID: u.ServiceID, ServiceName: u.Name,
		SMSBillableUnits: u.SMSUnits, SMSCost: pounds(u.SMSCost), SMSRemainder: max(0, u.Allowance-u.SMSUnits), SMSTotals: u.SMSSent,
	}
}

// pounds removes what binary fractions leave beyond a millionth of a pound.
func pounds(f float64) float64 { return math.Round(f*1e6) / 1e6 }

var newUsage = schema{
	types: []string{"object"},
	properties: []property{
		{"date", schema{types: []string{"string"}}},
		{"channel", schema{enum: directory.Channels()}},
		{"notifications_sent", schema{types: []string{"integer"}}},
		{"billable_units", schema{types: []string{"integer"}}},
		{"rate", schema{types: []string{"number"}}},
	},
	required: []string{"date", "channel", "notifications_sent", "billable_units", "rate"},
}

// usageBody is what POST /service/{service_id}/usage reads. Whole numbers may
// come as 1.0, which JSON Schema calls an integer.
type usageBody struct {
	Date              string  `json:"date"`
	Channel           string  `json:"channel"`
	NotificationsSent float64 `json:"notifications_sent"`
	BillableUnits     float64 `json:"billable_units"`
	Rate              float64 `json:"rate"`
}

// maxCount bounds what a service sends in a day, far beyond what any does.
const maxCount = 1e12

// takeUsage answers POST /service/{service_id}/usage.
func (a *API) takeUsage(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "service_id")
	if err != nil {
		return err
	}
	_, body, err := readBody[usageBody](r, &newUsage)
	if err != nil {
		return err
	}
	if err := body.fault(); err != nil {
		return err
	}
	u := directory.Usage{
		ServiceID: id, Day: body.Date, Channel: body.Channel, Rate: body.Rate,
		Sent: int64(body.NotificationsSent), Billable: int64(body.BillableUnits),
	}
	if err := a.Registry.TakeUsage(r.Context(), u, a.actor(r)); err != nil {
		return err
	}
	return noContent(w, r)
}

func (b *usageBody) fault() error {
	var faults []string
	if day, err := time.Parse(time.DateOnly, b.Date); err != nil || day.Year() < 1 {
		faults = append(faults, "date "+b.Date+" is not a date")
	}
	for _, n := range []struct {
		name  string
		value float64
	}{{"notifications_sent", b.NotificationsSent}, {"billable_units", b.BillableUnits}, {"rate", b.Rate}} {
		switch shown := strconv.FormatFloat(n.value, 'f', -1, 64); {
		case n.value < 0:
			faults = append(faults, n.name+" "+shown+" is less than the minimum of 0")
		case n.value > maxCount:
			faults = append(faults, n.name+" "+shown+" is greater than the maximum of 1000000000000")
		}
	}
	if faults != nil {
		return schemaFault(faults)
	}
	return nil
}
