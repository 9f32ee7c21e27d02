package oauth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

const (
	deviceInterval = 5 * time.Second // between two polls, and what each one too soon adds
	userCodeTries  = 5               // a second one is needed once in 25 billion, per code that is out
)

// deviceBody is an answer of the device authorization endpoint (RFC 8628 section 3.2).
type deviceBody struct {
	DeviceCode              string `json:"device_code"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	ExpiresIn               int64  `json:"expires_in"`
	Interval                int64  `json:"interval"`
}

// DeviceAuthorization is the device authorization endpoint (RFC 8628 section
// 3.1). A client authenticates as at the token endpoint. A request with a DPoP
// proof binds the device code to its key.
func (s *Server) DeviceAuthorization(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	if err := s.countDeviceOfNetwork(r); err != nil {
		return err
	}
	key, err := s.proofKey(w, r)
	if err != nil {
		return err
	}
	client, err := s.Clients.Authenticate(r.Context(), r)
	if err != nil {
		return unavailable(err)
	}
	web.Note(r.Context(), slog.String("client", client.ID))
	if err := s.countDeviceOfClient(r.Context(), client); err != nil {
		return err
	}
	if err := s.checkDevice(client, form); err != nil {
		return err
	}
	body, err := s.beginDevice(r.Context(), &DeviceAuthorization{
		ClientID: client.ID, Scopes: unique(scopeList(form.Get("scope"))), Audience: s.resourcesFor(form), KeyThumbprint: key,
	})
	if errors.Is(err, directory.ErrNotFound) {
		return invalidClient(r, err) // deleted in the meantime
	}
	if err != nil {
		return unavailable(err)
	}
	w.Header().Set("Pragma", "no-cache")
	return web.WriteJSON(w, http.StatusOK, body)
}

// checkDevice refuses what the authorization endpoint would.
func (s *Server) checkDevice(client *Client, form url.Values) error {
	if !slices.Contains(client.GrantTypes, GrantDeviceCode) {
		return refuse("unauthorized_client", "The client is not registered for device codes")
	}
	if !form.Has("scope") {
		return refuse("invalid_scope", "The parameter scope is missing")
	}
	for _, scope := range scopeList(form.Get("scope")) {
		if !slices.Contains(client.Scopes, scope) {
			return refuse("invalid_scope", "The client is not registered for one of the scopes")
		}
		if scope == ScopeMarketplaceProfile { // which profile is chosen on the page of an authorization request
			return refuse("invalid_scope", "The scope "+scope+" cannot be given to a device")
		}
	}
	return s.checkResources(client, resourcesOf(form))
}

// beginDevice stores a device's request under codes of its own.
func (s *Server) beginDevice(ctx context.Context, d *DeviceAuthorization) (*deviceBody, error) {
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	d.ID, d.State, d.Interval, d.CreatedAt = id, DevicePending, deviceInterval, s.now()
	d.ExpiresAt = d.CreatedAt.Add(s.Lifetimes.device())
	deviceCode, hash, err := s.references().mint(deviceReference, id)
	if err != nil {
		return nil, err
	}
	d.DeviceHash = hash
	userCode, err := s.storeDevice(ctx, d)
	if err != nil {
		return nil, err
	}
	return &deviceBody{
		DeviceCode: deviceCode, UserCode: userCode, VerificationURI: s.Issuer + DevicePath,
		VerificationURIComplete: s.Issuer + DevicePath + "?user_code=" + url.QueryEscape(userCode),
		ExpiresIn:               int64(s.Lifetimes.device() / time.Second), Interval: int64(d.Interval / time.Second),
	}, nil
}

// storeDevice stores a request under a user code that no other one has.
func (s *Server) storeDevice(ctx context.Context, d *DeviceAuthorization) (string, error) {
	for range userCodeTries {
		code, err := s.newUserCode()
		if err != nil {
			return "", err
		}
		d.UserCodeMAC = userCodeMAC(s.Secrets[0], code)
		if created, err := s.Store.CreateDevice(ctx, d); err != nil || created {
			return code, err
		}
	}
	return "", errors.New("no user code is free")
}
