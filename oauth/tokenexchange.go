package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// Token exchange (RFC 8693), as narrow as it is useful: a service that was called
// with an access token gets one for the next service, in its own name. Whatever
// comes out is in no way more than what went in.

// accessTokenType is the one type of token that is exchanged, and given out.
const accessTokenType = "urn:ietf:params:oauth:token-type:access_token"

// maxActors is how many services deep a token is passed on.
const maxActors = 4

// actor is the act claim: who acts for the subject, and for whom that one acted
// (RFC 8693 section 4.1).
type actor struct {
	Subject string `json:"sub"`
	Actor   *actor `json:"act,omitempty"`
}

// descent is what the row of an opaque token keeps of what it came from.
type descent struct {
	actor

	Parents []string `json:"parents,omitempty"`
}

func (a *actor) depth() int {
	depth := 0
	for ; a != nil; a = a.Actor {
		depth++
	}
	return depth
}

// checkExchange refuses requests for what is not done here.
func checkExchange(form url.Values) error {
	for _, name := range []string{"subject_token", "subject_token_type"} {
		if err := require(form, name); err != nil {
			return err
		}
	}
	switch {
	case form.Get("subject_token_type") != accessTokenType:
		return refuse("invalid_request", "Only access tokens are exchanged: the subject_token_type is "+accessTokenType)
	case form.Has("requested_token_type") && form.Get("requested_token_type") != accessTokenType:
		return refuse("invalid_request", "Only access tokens are given out: the requested_token_type is "+accessTokenType)
	case form.Has("actor_token") || form.Has("actor_token_type"):
		return refuse("invalid_request", "There is no actor_token here: the client that sends the request is who acts")
	}
	return nil
}

// exchangeToken gives a client a token for the subject of the one it presents.
func (s *Server) exchangeToken(ctx context.Context, x *exchange) (*tokenBody, error) {
	subject, err := s.subjectToken(ctx, x)
	if err != nil {
		return nil, err
	}
	claims, err := s.delegate(x, subject)
	if err != nil {
		return nil, err
	}
	token, err := s.issueDelegated(ctx, x, claims, subject.ClientID)
	if errors.Is(err, directory.ErrNotFound) {
		return nil, refuseSubject(err) // its grant ended in the meantime
	}
	if err != nil {
		return nil, err
	}
	return &tokenBody{
		AccessToken: token, TokenType: tokenType(x.key), ExpiresIn: claims.Expires - claims.IssuedAt,
		Scope: claims.Scope, IssuedTokenType: accessTokenType,
	}, nil
}

// subjectToken is the token that a request presents: alive, and the client's to
// pass on, because it was issued to it or sent to it.
func (s *Server) subjectToken(ctx context.Context, x *exchange) (*accessToken, error) {
	t, err := s.accessToken(ctx, x.form.Get("subject_token"))
	switch {
	case errors.Is(err, errInvalidToken):
		return nil, refuseSubject(err)
	case err != nil:
		return nil, err
	case t.ClientID != x.client.ID && !s.receives(x.client, t.Audience):
		return nil, refuseSubject(othersToken)
	case t.key() != "" && t.key() != x.key:
		return nil, invalidProof("The subject_token is bound to a key: a DPoP proof by that key is required")
	case t.Actor.depth() >= maxActors:
		return nil, refuse("invalid_request", "The subject_token was passed on too often")
	}
	return t, nil
}

// refuseSubject tells tokens that are over and those of others alike.
func refuseSubject(why error) error {
	refusal := refuse("invalid_request", "The subject_token has ended, or was neither issued to the client nor is for it")
	refusal.Cause = why
	return refusal
}

// receives reports whether tokens of an audience are sent to a client. That a
// client calls itself by our own name does not make ours its own.
func (s *Server) receives(c *Client, audience []string) bool {
	return slices.ContainsFunc(audience, func(name string) bool {
		return name == c.ID || name != s.Issuer && slices.Contains(c.Resources, name)
	})
}

// delegate narrows a token down to what the client may ask for and does.
func (s *Server) delegate(x *exchange, subject *accessToken) (*accessClaims, error) {
	target, err := exchangeTarget(x, subject)
	if err != nil {
		return nil, err
	}
	scopes, err := exchangeScopes(x, subject)
	if err != nil {
		return nil, err
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	now := s.now()
	// Authorities stay behind: they are a client's own, and no token of another has them.
	return &accessClaims{
		Issuer: s.Issuer, Subject: subject.Subject, Audience: target, ID: id.String(), ClientID: x.client.ID,
		IssuedAt: now.Unix(), Expires: min(now.Add(s.Lifetimes.access()).Unix(), subject.Expires),
		Scope: strings.Join(scopes, " "), Grant: subject.Grant, SessionID: subject.SessionID, AuthTime: subject.AuthTime,
		ACR: subject.ACR, AMR: subject.AMR, Confirmation: confirm(x.key), Actor: &actor{x.client.ID, subject.Actor},
		Parents: slices.Concat([]string{subject.name()}, subject.Parents),
	}, nil
}

// exchangeTarget is whom the token will be for: what the client is registered to
// call, or exactly whom the subject token is for. A part of the latter would be
// more, since services like this one refuse tokens that others take as well.
func exchangeTarget(x *exchange, subject *accessToken) ([]string, error) {
	var target []string
	for _, name := range []string{"audience", "resource"} {
		if x.form.Has(name) {
			target = append(target, x.form.Get(name))
		}
	}
	target = unique(target)
	if len(target) == 0 || slices.Equal(target, subject.Audience) {
		return subject.Audience, nil
	}
	for _, name := range target {
		if !slices.Contains(x.client.Audiences, name) {
			return nil, refuse("invalid_target", "The client is not registered to get tokens for this audience")
		}
	}
	return target, nil
}

// exchangeScopes are the scopes asked for, or all that both the subject token
// and the client have.
func exchangeScopes(x *exchange, subject *accessToken) ([]string, error) {
	held := subject.scopes()
	outside := func(scope string) bool {
		return !slices.Contains(held, scope) || !slices.Contains(x.client.Scopes, scope)
	}
	if !x.form.Has("scope") {
		return slices.DeleteFunc(held, outside), nil
	}
	asked := unique(scopeList(x.form.Get("scope")))
	if slices.ContainsFunc(asked, outside) {
		return nil, refuse("invalid_scope", "The scope exceeds what the subject_token or the client has")
	}
	return asked, nil
}

// issueDelegated makes the token, with a record of who got it for whose.
func (s *Server) issueDelegated(ctx context.Context, x *exchange, c *accessClaims, from string) (string, error) {
	token := ""
	err := s.Store.InTx(ctx, func(ctx context.Context) error {
		var err error
		if x.client.TokenFormat == Opaque {
			token, err = s.storeDelegated(ctx, c)
		} else {
			token, err = s.Keys.Sign(ctx, x.client.AccessTokenAlg, TypeAccessToken, c)
		}
		if err != nil {
			return err
		}
		by := directory.Actor{Kind: "client", ID: x.client.ID}
		return s.audit(ctx, "exchange_token", by, c.Subject, map[string]any{
			"from": from, "audience": c.Audience, "scopes": scopeList(c.Scope), "grant": c.Grant, "token": c.ID,
		})
	})
	return token, err
}

func (s *Server) storeDelegated(ctx context.Context, c *accessClaims) (string, error) {
	act, err := json.Marshal(descent{*c.Actor, c.Parents})
	if err != nil {
		return "", fmt.Errorf("encode act: %w", err)
	}
	row := &OpaqueToken{
		ClientID: c.ClientID, Grant: c.Grant, Scopes: scopeList(c.Scope), Audience: c.Audience, Actor: string(act),
		CreatedAt: time.Unix(c.IssuedAt, 0), ExpiresAt: time.Unix(c.Expires, 0),
	}
	if c.Confirmation != nil {
		row.KeyThumbprint = c.Confirmation.KeyThumbprint
	}
	if c.Grant == uuid.Nil {
		row.Subject = c.Subject
	}
	token, hash, err := s.references().mintAccess(row.ExpiresAt)
	if err != nil {
		return "", err
	}
	row.Hash = hash
	return token, s.Store.CreateOpaqueToken(ctx, row)
}

// liveActors fails with errInvalidToken when a client that a token passed
// through is no more, be it the last one or the one whose own token it was, and
// when one of the tokens that it was exchanged for was revoked.
func (s *Server) liveActors(ctx context.Context, t *accessToken) error {
	if t.Actor == nil {
		return nil
	}
	if t.Grant == uuid.Nil {
		if err := s.Store.LiveClient(ctx, t.Subject, ""); err != nil {
			return gone(err)
		}
	}
	parents := t.Parents
	for a := t.Actor; a != nil; a = a.Actor {
		parent := ""
		if len(parents) > 0 {
			parent, parents = parents[0], parents[1:]
		}
		if err := s.Store.LiveClient(ctx, a.Subject, parent); err != nil {
			return gone(err)
		}
	}
	return nil
}
