package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn/message"
	"gatehouse/directory"
)

const (
	// logoutEvent is the event that a logout token reports.
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

	// logoutTokenLife is short: the token is made when it is sent (OpenID Connect
	// Back-Channel Logout section 4 recommends two minutes).
	logoutTokenLife = 2 * time.Minute

	logoutTimeout = 5 * time.Second
	// maxLogoutAnswer is how much of an answer is read, in bytes, so that the
	// connection can be used again. What it says is not looked at.
	maxLogoutAnswer = 16 << 10
)

// logoutClaims are the claims of a logout token (OpenID Connect Back-Channel
// Logout section 2.4). There is never a nonce, so that none can be taken for an
// ID token.
type logoutClaims struct {
	Issuer    string              `json:"iss"`
	Subject   string              `json:"sub"`
	Audience  string              `json:"aud"`
	IssuedAt  int64               `json:"iat"`
	Expires   int64               `json:"exp"`
	ID        uuid.UUID           `json:"jti"`
	Events    map[string]struct{} `json:"events"`
	SessionID uuid.UUID           `json:"sid,omitzero"`
}

// Doer sends requests to addresses that clients have registered. It follows no
// redirect.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// LogoutSender tells a client that somebody has signed out. It implements
// [message.Sender] for the channel [message.Logout].
type LogoutSender struct {
	Issuer  string
	Clients ClientSource
	Keys    *Keys
	HTTP    Doer
	Clock   directory.Clock
	NewID   func() uuid.UUID
}

var _ message.Sender = (*LogoutSender)(nil)

// Send makes the logout token of a notice and posts it to where its client
// wants it now. The error is a [*message.SendError] unless the fault is ours.
func (l *LogoutSender) Send(ctx context.Context, m *message.Outgoing) error {
	client, err := l.Clients.Get(ctx, m.ClientID)
	switch {
	case errors.Is(err, directory.ErrNotFound), err == nil && client.BackchannelLogoutURI == "":
		return &message.SendError{Reason: message.ReasonWithdrawn, Permanent: true}
	case err != nil:
		return fmt.Errorf("find whom to tell: %w", err)
	}
	token, err := l.token(ctx, client, m.Notice)
	if err != nil {
		return err
	}
	return l.post(ctx, client.BackchannelLogoutURI, token)
}

func (l *LogoutSender) token(ctx context.Context, client *Client, encoded []byte) (string, error) {
	var notice logoutNotice
	if err := json.Unmarshal(encoded, &notice); err != nil {
		return "", &message.SendError{Reason: message.ReasonUnreadable, Permanent: true}
	}
	now := l.Clock()
	return l.Keys.Sign(ctx, client.IDTokenAlg, TypeLogoutToken, logoutClaims{
		Issuer: l.Issuer, Subject: notice.Subject, Audience: client.ID, IssuedAt: now.Unix(), Expires: now.Add(logoutTokenLife).Unix(),
		ID: l.NewID(), Events: map[string]struct{}{logoutEvent: {}}, SessionID: notice.SessionID,
	})
}

// post sends the token as section 2.5 of the specification says.
func (l *LogoutSender) post(ctx context.Context, uri, token string) error {
	ctx, cancel := context.WithTimeout(ctx, logoutTimeout)
	defer cancel()
	form := url.Values{"logout_token": {token}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, uri, strings.NewReader(form.Encode()))
	if err != nil {
		return &message.SendError{Reason: message.ReasonMalformed, Permanent: true}
	}
	r.Header.Set("Content-Type", formType)
	response, err := l.HTTP.Do(r)
	if err != nil {
		return &message.SendError{Reason: message.ReasonUnreachable}
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxLogoutAnswer)) // the status is the answer
	return logoutAnswer(response.StatusCode)
}

// logoutAnswer reads a client's answer: 200 and, as many frameworks have it, 204
// mean that it is done, 400 that it never will be (section 2.8).
func logoutAnswer(status int) error {
	switch {
	case status == http.StatusOK, status == http.StatusNoContent:
		return nil
	case status == http.StatusBadRequest:
		return &message.SendError{Reason: message.ReasonRefused, Permanent: true, Code: status}
	case status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		return &message.SendError{Reason: message.ReasonRedirected, Code: status}
	default:
		return &message.SendError{Reason: message.ReasonDeferred, Code: status}
	}
}
