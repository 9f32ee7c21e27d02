package oauth

import (
	"bytes"
	"fmt"
	"net/http"

	"gatehouse/internal/web"
)

// because adds to an error why it happened, which the caller is not told and
// `gatehouse explain` shows. The reason is a constant text: nothing of the
// request may be in it.
func because(err error, reason web.Reason) error { return fmt.Errorf("%w: %w", err, reason) }

// ownPage is a refusal that is answered on a page of ours, because there is
// nowhere to send the browser.
func ownPage(message string, reason web.Reason) error {
	return &web.Error{Status: http.StatusBadRequest, Message: message, Cause: reason}
}

// putOff notes why a request is answered as if nothing was wrong with it.
func putOff(w http.ResponseWriter, code string, reason web.Reason) { web.NoteRefusal(w, code, reason) }

// whyNotSpent says why a code or refresh token could not be used; g is its
// grant, nil when there is none any more.
func whyNotSpent(x *exchange, g *Grant, spent Exchange) web.Reason {
	switch {
	case g == nil:
		return "its authorization has ended, or was never completed"
	case g.ClientID != x.client.ID:
		return "it was issued to another client"
	case bytes.Equal(g.CodeHash, spent.Presented):
		return whyNotRedeemed(g, spent)
	case bytes.Equal(g.RefreshHash, spent.Presented) && !spent.At.Before(g.ExpiresAt):
		return "the refresh token has expired"
	case bytes.Equal(g.RefreshHash, spent.Presented) && g.KeyThumbprint != "" && g.KeyThumbprint != spent.RefreshKey:
		return "the refresh token is bound to a key, which did not sign the request's proof"
	case bytes.Equal(g.RefreshHash, spent.Presented):
		return "the user is locked or not active"
	default:
		return "the refresh token was replaced by another one and came again"
	}
}

func whyNotRedeemed(g *Grant, spent Exchange) web.Reason {
	switch {
	case !g.CodeRedeemedAt.IsZero():
		return "the code was redeemed before"
	case !spent.At.Before(g.CodeExpiresAt):
		return "the code has expired"
	default:
		return "the user is locked or not active"
	}
}
