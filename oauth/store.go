package oauth

import (
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// Grant is one authorization of a client by a user. It begins with a code, and
// every token issued from it ends with it: a grant that was revoked is deleted.
type Grant struct {
	ID        uuid.UUID
	ClientID  string
	UserID    uuid.UUID
	SessionID uuid.UUID // the sid claim
	Scopes    []string
	Audience  []string
	ACR       string
	AMR       []string
	AuthTime  time.Time

	// RedirectURI, Nonce and CodeChallenge are the authorization request's
	// parameters that the token request is held against; "" when absent.
	RedirectURI   string
	Nonce         string
	CodeChallenge string
	// Claims is the authorization request's claims parameter, checked; "" without one.
	Claims string
	// Subject is the sub the client knows the user by; "" when it is UserID.
	Subject string
	// KeyThumbprint is the key that the code, and a public client's refresh
	// token, are bound to (RFC 9449 section 10); "" when they are not.
	KeyThumbprint string
	// CodeHash is the SHA-256 of the code.
	CodeHash       []byte
	CodeExpiresAt  time.Time
	CodeRedeemedAt time.Time // zero until then

	// RefreshHash is the SHA-256 of the refresh token the family is at;
	// PreviousRefreshHash that of the one before, replaced at RefreshedAt.
	RefreshHash         []byte
	PreviousRefreshHash []byte
	RefreshedAt         time.Time

	CreatedAt time.Time
	ExpiresAt time.Time // absolute: no token outlives it
}

// Exchange is one use of a code or of a refresh token, at most one of which
// can succeed for a value.
type Exchange struct {
	Grant    uuid.UUID
	ClientID string
	// Presented is the SHA-256 of the code or refresh token presented.
	Presented []byte
	// Refresh is the SHA-256 of the refresh token given out in return; nil for none.
	Refresh []byte
	// Key is the thumbprint of the key that made the request's proof (RFC 9449);
	// "" without one.
	Key string
	// RefreshKey is the key that Refresh is bound to: Key for public clients, ""
	// for confidential ones, whose refresh tokens are bound to the client.
	RefreshKey string
	At         time.Time
}

// PairwiseSubject is the sub by which the clients of one sector know a user.
type PairwiseSubject struct {
	Sector string // a host, or a [CompanySector]
	// Company is the provider that the sector is; "" for a host. When it sees a
	// profile of the user under a pseudonym, that is the subject.
	Company   string
	UserID    uuid.UUID
	Subject   uuid.UUID
	CreatedAt time.Time
}

// OpaqueToken is an access token that is a reference.
type OpaqueToken struct {
	Hash     []byte // SHA-256
	ClientID string
	Grant    uuid.UUID // uuid.Nil for a client on its own
	Scopes   []string
	Audience []string
	// KeyThumbprint is the key that the token is bound to (RFC 9449); "" for none.
	KeyThumbprint string
	// Actor is the act claim, as JSON, of a token that was exchanged (RFC 8693); "" for others.
	Actor string
	// Subject is the sub of an exchanged token without a grant; "" for others.
	Subject   string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Visit is somebody who is signed in and comes with a request of a client.
type Visit struct {
	Session *authn.Session
	User    *directory.User
	Allowed []string // the scopes that the user has allowed the client
}

// GrantStore keeps what was authorized and issued. Lookups return
// [directory.ErrNotFound], and everything [directory.ErrUnavailable] when the
// store cannot answer.
//
// A user that is not active or is locked is treated as if it had no grants.
type GrantStore interface {
	DeviceStore
	InTx(ctx context.Context, f func(ctx context.Context) error) error
	AppendEvent(ctx context.Context, e directory.Event) error

	// CreateGrant stores a grant and that its session has led to the client;
	// directory.ErrNotFound when that session has ended. A grant without a
	// session stands alone.
	CreateGrant(ctx context.Context, g *Grant) error
	// Grant returns a grant whatever the state of its user.
	Grant(ctx context.Context, id uuid.UUID) (*Grant, error)
	// RedeemCode marks a live code redeemed and returns its grant;
	// directory.ErrNotFound when there is nothing to redeem. The grant is bound to
	// RefreshKey from then on, unless its code was bound to another key than Key:
	// that one is spent too, and stays bound as it was.
	RedeemCode(ctx context.Context, x Exchange) (*Grant, error)
	// Rotate replaces the current refresh token, perhaps by itself, and returns its grant;
	// directory.ErrNotFound when the one presented is not the current one, or is
	// bound to another key than RefreshKey.
	Rotate(ctx context.Context, x Exchange) (*Grant, error)
	// DeleteGrant ends a grant and reports whether there was one.
	DeleteGrant(ctx context.Context, id uuid.UUID) (bool, error)

	// UserOfGrant returns the user and the claims of a grant from which the token
	// jti was issued, unless that token was revoked.
	UserOfGrant(ctx context.Context, grant uuid.UUID, jti string) (user *directory.User, claims string, err error)
	// LiveGrant is UserOfGrant for those who need no more than the user's id.
	LiveGrant(ctx context.Context, grant uuid.UUID, jti string) (uuid.UUID, error)
	// PairwiseSubject returns the subject of a user in a sector, which is p's
	// when there is none yet, or a company's pseudonym. No two users have one subject.
	PairwiseSubject(ctx context.Context, p PairwiseSubject) (uuid.UUID, error)
	// LiveClient reports directory.ErrNotFound unless the client exists and its
	// own token jti was not revoked.
	LiveClient(ctx context.Context, clientID, jti string) error
	// RevokeToken ends a single JWT, or what an opaque token was exchanged for; the
	// row may go once it would have expired.
	RevokeToken(ctx context.Context, jti string, expires time.Time) error

	CreateOpaqueToken(ctx context.Context, t *OpaqueToken) error
	// OpaqueToken returns the token of a hash, which says of itself when it ends.
	OpaqueToken(ctx context.Context, expires time.Time, hash []byte) (*OpaqueToken, error)
	DeleteOpaqueToken(ctx context.Context, t *OpaqueToken) error

	// Visit returns what there is to know of whoever comes with a request of a
	// client, if the session is good: see authn.Store.
	Visit(ctx context.Context, tokenHash []byte, now, idleSince time.Time, clientID string) (*Visit, error)
	// AddConsent adds scopes to those that a user has allowed a client.
	AddConsent(ctx context.Context, userID uuid.UUID, clientID string, scopes []string, at time.Time) error
	// UsedClients returns the clients that a user has allowed something or signed
	// in to, and the companies that see a profile of theirs, by name.
	UsedClients(ctx context.Context, userID uuid.UUID, now time.Time) ([]UsedClient, error)
}

// FlowCache keeps authorizations under way for as long as a sign-in may take.
type FlowCache interface {
	PutFlow(ctx context.Context, id string, flow []byte, ttl time.Duration) error
	Flow(ctx context.Context, id string) ([]byte, error)
	// TakeFlow returns a flow and forgets it, so that it issues once.
	TakeFlow(ctx context.Context, id string) ([]byte, error)
	PutPushed(ctx context.Context, clientID, uri string, request []byte, ttl time.Duration) error
	// TakePushed returns what the client has pushed, and forgets it.
	TakePushed(ctx context.Context, clientID, uri string) ([]byte, error)
}
