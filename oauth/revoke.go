package oauth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// Revoke is the revocation endpoint (RFC 7009). A refresh token takes its whole
// grant with it, an access token goes alone. What is unknown, over or another
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
	case t.row != nil:
		return s.Store.DeleteOpaqueToken(ctx, t.row)
	default:
		return s.Store.RevokeToken(ctx, t.ID, time.Unix(t.Expires, 0))
	}
}
