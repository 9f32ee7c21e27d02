package oauth

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"gatehouse/authn"
	"gatehouse/authn/pages"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// deviceConsent asks the user about a device, each time anew: what a user once
// allowed a client does not say whose device shows the code.
func (s *Server) deviceConsent(w http.ResponseWriter, r *http.Request, f *flow, user *directory.User) error {
	d, client, err := s.waitingDevice(r.Context(), f)
	if errors.Is(err, directory.ErrNotFound) {
		return s.Pages.DeviceCode(w, r, pages.DeviceCodeView{UserCode: f.Device.UserCode, Refused: true})
	}
	if err != nil {
		return unavailable(err)
	}
	return s.Pages.DeviceConsent(w, r, pages.DeviceConsentView{
		Flow: f.ID, ClientName: client.Named(), Organisation: client.organisation(), UserName: user.Name, UserCode: f.Device.UserCode, Scopes: d.Scopes,
	})
}

// waitingDevice returns the request of a flow while it waits for its user.
func (s *Server) waitingDevice(ctx context.Context, f *flow) (*DeviceAuthorization, *Client, error) {
	d, err := s.Store.Device(ctx, f.Device.ID)
	if err != nil {
		return nil, nil, err
	}
	if d.State != DevicePending || !s.now().Before(d.ExpiresAt) {
		return nil, nil, directory.ErrNotFound
	}
	client, err := s.Clients.Get(ctx, d.ClientID)
	return d, client, err
}

// deviceAnswer takes the user's answer. Nothing leads back to the device: the
// page says that it goes on by itself.
func (s *Server) deviceAnswer(w http.ResponseWriter, r *http.Request, f *flow, session *authn.Session, answer string) error {
	decide := s.approveDevice
	switch answer {
	case "accept":
	case "deny":
		decide = s.denyDevice
	default:
		return web.Errorf(http.StatusBadRequest, "Choose whether to allow the device what it asks for")
	}
	d, client, err := s.waitingDevice(r.Context(), f)
	if err == nil {
		err = s.Store.InTx(r.Context(), func(ctx context.Context) error { return decide(ctx, d, client, session) })
	}
	if errors.Is(err, directory.ErrNotFound) {
		return s.Pages.DeviceCode(w, r, pages.DeviceCodeView{UserCode: f.Device.UserCode, Refused: true})
	}
	if err != nil {
		return unavailable(err)
	}
	return s.Pages.DeviceDone(w, r, pages.DeviceDoneView{ClientName: client.Named(), Organisation: client.organisation(), Denied: answer == "deny"})
}

// approveDevice makes the grant that the device code redeems.
func (s *Server) approveDevice(ctx context.Context, d *DeviceAuthorization, client *Client, session *authn.Session) error {
	if err := s.decideDevice(ctx, d, DeviceApproved, session); err != nil {
		return err
	}
	if err := s.rememberConsent(ctx, client, session, d.Scopes); err != nil {
		return err
	}
	subject, err := s.subject(ctx, client, session.UserID)
	if err != nil {
		return err
	}
	g := s.deviceGrant(d, client, session)
	g.Subject = subject
	return s.Store.CreateGrant(ctx, g)
}

func (s *Server) denyDevice(ctx context.Context, d *DeviceAuthorization, _ *Client, session *authn.Session) error {
	return s.decideDevice(ctx, d, DeviceDenied, session)
}

// decideDevice records the answer; directory.ErrNotFound says that another one,
// or the end of the request's life, came first.
func (s *Server) decideDevice(ctx context.Context, d *DeviceAuthorization, state DeviceState, session *authn.Session) error {
	decided, err := s.Store.DecideDevice(ctx, d.ID, state, s.now())
	if err != nil {
		return err
	}
	if !decided {
		return directory.ErrNotFound
	}
	actor := directory.Actor{Kind: "user", ID: session.UserID.String()}
	return s.audit(ctx, "answer_device", actor, session.UserID.String(), map[string]any{
		"client": d.ClientID, "scopes": d.Scopes, "state": state, "grant": d.ID,
	})
}

// deviceGrant is the grant of an approved request. Its code is the device code,
// good for as long as the device may poll.
func (s *Server) deviceGrant(d *DeviceAuthorization, client *Client, session *authn.Session) *Grant {
	now := s.now()
	expires := d.ExpiresAt.Add(s.Lifetimes.access())
	if slices.Contains(client.GrantTypes, GrantRefreshToken) {
		expires = now.Add(s.Lifetimes.refresh())
	}
	return &Grant{
		ID: d.ID, ClientID: client.ID, UserID: session.UserID, SessionID: session.ID, Scopes: d.Scopes, Audience: d.Audience,
		ACR: session.ACR, AMR: session.AMR, AuthTime: session.AuthTime, KeyThumbprint: d.KeyThumbprint,
		CodeHash: d.DeviceHash, CodeExpiresAt: d.ExpiresAt, CreatedAt: now, ExpiresAt: expires,
	}
}
