package pages

import (
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// DeviceCodeView is what the page that asks for a device's code shows.
type DeviceCodeView struct {
	UserCode string // fills the field in; "" for none
	Missing  bool   // the form was sent without a code
	Refused  bool   // the code is unknown, has expired or was used
}

// DeviceConsentView is what the page shows that asks about a device.
type DeviceConsentView struct {
	Flow         string // the flow's id
	ClientName   directory.Wording
	Organisation uuid.UUID // see [Flow.Organisation]
	UserName     string
	UserCode     string // to be compared with what the device shows
	Scopes       []string
}

// DeviceDoneView is what the page shows after the answer.
type DeviceDoneView struct {
	ClientName   directory.Wording
	Organisation uuid.UUID // see [Flow.Organisation]
	Denied       bool
}

// DeviceCode asks for the code that a device shows. The answer is a POST to
// /device with the field user_code. A form that is shown again answers 400 when
// the code is missing and 403 when it was refused.
func (p *Pages) DeviceCode(w http.ResponseWriter, r *http.Request, v DeviceCodeView) error {
	view := struct {
		frame
		UserCode string
	}{p.frame(r, "device.title", &Flow{}), v.UserCode}
	status := http.StatusOK
	switch {
	case v.Missing:
		status, view.Faults = http.StatusBadRequest, []fault{{"user_code", view.text("user_code.missing")}}
	case v.Refused:
		status, view.Faults = http.StatusForbidden, []fault{{"user_code", view.text("user_code.refused")}}
	}
	return p.render(w, status, "device", view.Flow, view)
}

// DeviceConsent asks the person whether a device may have what it asks for. The
// answer is a POST to /consent with the flow and consent=accept or deny.
func (p *Pages) DeviceConsent(w http.ResponseWriter, r *http.Request, v DeviceConsentView) error {
	view := struct {
		frame
		UserName, UserCode string
		Scopes             []string
	}{p.frame(r, "deviceconsent.title", &Flow{ID: v.Flow, ClientName: v.ClientName, Organisation: v.Organisation}), v.UserName, v.UserCode, p.texts(r).scopes(v.Scopes)}
	view.Title = fmt.Sprintf(view.Title, view.Client())
	return p.render(w, http.StatusOK, "deviceconsent", view.Flow, view)
}

// DeviceDone says that the device goes on by itself, or that it was refused.
func (p *Pages) DeviceDone(w http.ResponseWriter, r *http.Request, v DeviceDoneView) error {
	view := struct {
		frame
		Text string
	}{p.frame(r, "devicedone.title", &Flow{ClientName: v.ClientName, Organisation: v.Organisation}), p.texts(r).text("devicedone.text")}
	if v.Denied {
		view.Title, view.Text = view.text("devicedenied.title"), view.text("devicedenied.text")
	}
	view.Text = fmt.Sprintf(view.Text, view.Client())
	return p.render(w, http.StatusOK, "devicedone", view.Flow, view)
}
