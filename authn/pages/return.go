package pages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// returnTTL is how long a browser is led back to an invitation; as long as a
// sign-in can take.
const returnTTL = 2 * time.Hour

// wayBack is where a sign-in that no relying service asked for leads to. It is
// kept here, under a secret of the browser: no parameter could lead it astray.
type wayBack struct {
	Path string `json:"path"`
	// UserID is whoever registered, and becomes active and a member with the
	// sign-in; the zero UUID leads anybody back.
	UserID     uuid.UUID          `json:"user_id,omitzero"`
	Kind       directory.TeamKind `json:"kind,omitempty"`
	Invitation uuid.UUID          `json:"invitation,omitzero"`
}

// comeBack keeps the way back of a browser, in the place of any other.
func (p *Pages) comeBack(w http.ResponseWriter, r *http.Request, b wayBack) error {
	encoded, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("encode way back: %w", err)
	}
	secret := p.NewSecret()
	if err := p.Returns.PutReturn(r.Context(), secret, encoded, returnTTL); err != nil {
		return fmt.Errorf("keep way back: %w", err)
	}
	p.Cookies.Set(w, authn.ReturnCookie, secret, 0)
	return nil
}

// wayBack returns where the sign-in of a user leads to; nil for nowhere.
func (p *Pages) wayBack(r *http.Request, f *Flow, userID uuid.UUID) (*wayBack, error) {
	secret := p.Cookies.Get(r, authn.ReturnCookie)
	if secret == "" || f.ID != "" {
		return nil, nil
	}
	encoded, err := p.Returns.Return(r.Context(), secret)
	if errors.Is(err, directory.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find way back: %w", err)
	}
	return decodeWayBack(encoded, userID)
}

// decodeWayBack is nil for a way back that is another user's.
func decodeWayBack(encoded []byte, userID uuid.UUID) (*wayBack, error) {
	var b wayBack
	if err := json.Unmarshal(encoded, &b); err != nil {
		return nil, fmt.Errorf("decode way back: %w", err)
	}
	if b.UserID != uuid.Nil && b.UserID != userID {
		return nil, nil
	}
	return &b, nil
}

// ended is the event of a sign-in that leads back here.
func (b *wayBack) ended() Event {
	if strings.HasPrefix(b.Path, accountPath) {
		return SignedInBefore
	}
	return SignedInInvited
}

// joining is what completes with the sign-in of somebody who registered to
// accept an invitation; nil for everybody else.
func (p *Pages) joining(b *wayBack) func(ctx context.Context, u *directory.User) error {
	if b == nil || b.UserID == uuid.Nil {
		return nil
	}
	return func(ctx context.Context, u *directory.User) error {
		return p.Invitations.AcceptInvitation(ctx, b.Kind, b.Invitation, u.ID)
	}
}

// goBack ends a sign-in that no relying service asked for. The session stands:
// without the way back it ends on the start page.
func (p *Pages) goBack(w http.ResponseWriter, r *http.Request, from Page, u *directory.User) error {
	secret := p.Cookies.Get(r, authn.ReturnCookie)
	if secret == "" {
		return Follow(w, r, from, SignedIn, "")
	}
	p.Cookies.Clear(w, authn.ReturnCookie)
	encoded, err := p.Returns.TakeReturn(r.Context(), secret)
	if err != nil {
		return Follow(w, r, from, SignedIn, "")
	}
	b, err := decodeWayBack(encoded, u.ID)
	if err != nil || b == nil {
		return Follow(w, r, from, SignedIn, "")
	}
	return FollowTo(w, r, from, b.ended(), b.Path)
}
