package oauth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// Revoke is the revocation endpoint (RFC 7009). A refresh token takes its whole
// grant with it, an access token what it was exchanged for and no more. What is unknown, over or another
// client's is answered alike and left as it is. A DPoP proof is not needed, but
// one that comes has to be good.
func (s *Server) Revoke(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.proofKey(w, r); err != nil {
		return err
	}
	client, form, err := s.tokenCaller(r)
	if err != nil {
		return err
	}
	if err := s.revoke(r.Context(), client, form.Get("token")); err != nil {
		return unavailable(err)
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Server) revoke(ctx context.Context, client *Client, raw string) error {
	if strings.HasPrefix(raw, string(refreshReference)) {
		g, _, err := s.refreshGrant(ctx, client, raw)
		if err != nil || g == nil {
			return err
		}
		return s.endGrant(ctx, g, "revoked by its client")
	}
	t, err := s.parseAccessToken(ctx, raw)
	switch {
	case errors.Is(err, errInvalidToken):
		return nil
	case err != nil:
		return err
	case t.ClientID != client.ID:
		return nil
	default:
		return s.revokeAccess(ctx, t)
	}
}

// revokeAccess ends an access token with those that it was exchanged for, which
// RFC 8693 section 2.1 leaves to each server: at every use they ask for it by name.
func (s *Server) revokeAccess(ctx context.Context, t *accessToken) error {
	return s.Store.InTx(ctx, func(ctx context.Context) error {
		if t.row != nil {
			if err := s.Store.DeleteOpaqueToken(ctx, t.row); err != nil {
				return err
			}
		}
		return s.Store.RevokeToken(ctx, t.name(), time.Unix(t.Expires, 0))
	})
}
