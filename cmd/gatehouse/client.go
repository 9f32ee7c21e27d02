package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/oauth"
)

type clientCommands struct {
	Create       clientCreateCommand       `cmd:"" help:"Create a client; its secret is printed this once."`
	List         clientListCommand         `cmd:"" help:"List clients."`
	Show         clientShowCommand         `cmd:"" help:"Show a client."`
	RotateSecret clientRotateSecretCommand `cmd:"" help:"Give a client a new secret, printed this once; the old one ends at once."`
	Delete       clientDeleteCommand       `cmd:"" help:"Delete a client and end everything issued to it."`
	Deliveries   clientDeliveriesCommand   `cmd:"" help:"Show which sign-outs clients were told of."`
}

type clientCreateCommand struct {
	ID                                 string   `name:"id" help:"Client id; generated when missing."`
	Name                               string   `help:"Name people see; the id when missing."`
	Grant                              []string `help:"Grant type: authorization_code, refresh_token or client_credentials; may be repeated."`
	Scope                              []string `help:"Scope it may ask for; may be repeated."`
	Role                               []string `help:"Role in the authorities claim, such as PROBATION_API__HMPPS_AUTH__AUTHENTICATE; may be repeated."`
	RedirectURI                        []string `name:"redirect-uri" sep:"none" help:"Redirect URI; may be repeated."`
	PostLogoutRedirectURI              []string `name:"post-logout-redirect-uri" sep:"none" help:"Where a browser may go after signing out; may be repeated."`
	BackchannelLogoutURI               string   `name:"backchannel-logout-uri" help:"Where the client is told that somebody has signed out."`
	AuthMethod                         string   `help:"client_secret_basic, client_secret_post, private_key_jwt or none." default:""`
	JWKS                               string   `name:"jwks" type:"existingfile" help:"File with the client's public keys, for private_key_jwt."`
	Kind                               string   `help:"Company of the marketplace: partner or provider." enum:"partner,provider," default:""`
	IDTokenAlg                         string   `name:"id-token-alg" help:"RS256, ES256 or EdDSA." enum:"RS256,ES256,EdDSA" default:"RS256"`
	AccessTokenAlg                     string   `name:"access-token-alg" help:"ES256, RS256 or EdDSA." enum:"RS256,ES256,EdDSA" default:"ES256"`
	AccessTokenFormat                  string   `name:"access-token-format" help:"jwt or opaque." enum:"jwt,opaque" default:"jwt"`
	Public                             bool     `help:"Has no secret, such as an app on a phone."`
	FirstParty                         bool     `help:"Skips the consent page."`
	PKCEOptional                       bool     `name:"pkce-optional" help:"For a confidential client that cannot do PKCE; each use is logged."`
	RequirePushedAuthorizationRequests bool     `help:"Only takes authorization requests that were pushed (RFC 9126)."`
	DPoPBoundAccessTokens              bool     `name:"dpop-bound-access-tokens" help:"Only takes tokens bound to a key (RFC 9449)."`
	JSON                               bool     `name:"json" help:"Print JSON."`
}

// Run creates the client and prints it with its secret.
func (c clientCreateCommand) Run(env *environment) error {
	var jwks json.RawMessage
	if c.JWKS != "" {
		content, err := os.ReadFile(filepath.Clean(c.JWKS))
		if err != nil {
			return fmt.Errorf("read keys: %w", err)
		}
		jwks = content
	}
	return withApp(env, func(a *app) error {
		client, secret, err := a.clients.Create(env.ctx, operator, oauth.Client{
			ID: c.ID, Name: cmp.Or(c.Name, c.ID, "Unnamed client"), GrantTypes: c.Grant, Scopes: c.Scope, Roles: c.Role, RedirectURIs: c.RedirectURI,
			PostLogoutRedirectURIs: c.PostLogoutRedirectURI, AuthMethod: oauth.AuthMethod(c.AuthMethod), JWKS: jwks, Kind: c.Kind,
			IDTokenAlg: c.IDTokenAlg, AccessTokenAlg: c.AccessTokenAlg, TokenFormat: oauth.TokenFormat(c.AccessTokenFormat),
			Public: c.Public, FirstParty: c.FirstParty, PKCEOptional: c.PKCEOptional,
			RequirePAR: c.RequirePushedAuthorizationRequests, DPoPBound: c.DPoPBoundAccessTokens,
			Metadata: oauth.Metadata{BackchannelLogoutURI: c.BackchannelLogoutURI},
		})
		if err != nil {
			return err
		}
		return printClient(env.stdout, client, secret, c.JSON)
	})
}

// clientOutput is a client as commands print it, in RFC 7591's names.
type clientOutput struct {
	ClientID                           string            `json:"client_id"`
	ClientSecret                       string            `json:"client_secret,omitempty"`
	ClientName                         string            `json:"client_name"`
	TokenEndpointAuthMethod            oauth.AuthMethod  `json:"token_endpoint_auth_method"`
	GrantTypes                         []string          `json:"grant_types"`
	Scope                              string            `json:"scope"`
	Roles                              []string          `json:"roles"`
	RedirectURIs                       []string          `json:"redirect_uris"`
	PostLogoutRedirectURIs             []string          `json:"post_logout_redirect_uris"`
	BackchannelLogoutURI               string            `json:"backchannel_logout_uri,omitempty"`
	JWKS                               json.RawMessage   `json:"jwks,omitempty"`
	Kind                               string            `json:"kind,omitempty"`
	IDTokenSignedResponseAlg           string            `json:"id_token_signed_response_alg"`
	AccessTokenSignedResponseAlg       string            `json:"access_token_signed_response_alg"`
	AccessTokenFormat                  oauth.TokenFormat `json:"access_token_format"`
	FirstParty                         bool              `json:"first_party"`
	RequirePushedAuthorizationRequests bool              `json:"require_pushed_authorization_requests"`
	DPoPBoundAccessTokens              bool              `json:"dpop_bound_access_tokens"`
	ClientIDIssuedAt                   time.Time         `json:"client_id_issued_at"`
}

func newClientOutput(c *oauth.Client, secret string) clientOutput {
	return clientOutput{
		ClientID: c.ID, ClientSecret: secret, ClientName: c.Name, TokenEndpointAuthMethod: c.AuthMethod,
		GrantTypes: list(c.GrantTypes), Scope: strings.Join(c.Scopes, " "), Roles: list(c.Roles), RedirectURIs: list(c.RedirectURIs),
		PostLogoutRedirectURIs: list(c.PostLogoutRedirectURIs), BackchannelLogoutURI: c.BackchannelLogoutURI, JWKS: c.JWKS, Kind: c.Kind, IDTokenSignedResponseAlg: c.IDTokenAlg,
		AccessTokenSignedResponseAlg: c.AccessTokenAlg, AccessTokenFormat: c.TokenFormat, FirstParty: c.FirstParty,
		RequirePushedAuthorizationRequests: c.RequirePAR, DPoPBoundAccessTokens: c.DPoPBound, ClientIDIssuedAt: c.CreatedAt,
	}
}

// list makes a missing list an empty one, so that JSON shows [].
func list(l []string) []string { return append([]string{}, l...) }

func printClient(w io.Writer, c *oauth.Client, secret string, asJSON bool) error {
	if asJSON {
		return printJSON(w, newClientOutput(c, secret))
	}
	fmt.Fprintf(w, "client %s\n  name   %s\n  grants %s\n  scopes %s\n", c.ID, c.Name, strings.Join(c.GrantTypes, " "), strings.Join(c.Scopes, " "))
	if secret != "" {
		fmt.Fprintf(w, "  secret %s\n\nKeep the secret now: it is not shown again.\n", secret)
	}
	return nil
}

type clientListCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run lists every client.
func (c clientListCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		clients, err := a.clients.List(env.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			out := make([]clientOutput, 0, len(clients))
			for _, client := range clients {
				out = append(out, newClientOutput(client, ""))
			}
			return printJSON(env.stdout, out)
		}
		for _, client := range clients {
			fmt.Fprintf(env.stdout, "%s\t%s\n", client.ID, client.Name)
		}
		return nil
	})
}

// clientNamed is what the commands on one client have in common.
type clientNamed struct {
	ID   string `arg:"" name:"id" help:"The client's id."`
	JSON bool   `name:"json" help:"Print JSON."`
}

type clientShowCommand struct{ clientNamed }

// Run shows the client, without its secret.
func (c clientShowCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		client, err := a.clients.Get(env.ctx, c.ID)
		if err != nil {
			return fmt.Errorf("client %s: %w", c.ID, err)
		}
		return printClient(env.stdout, client, "", c.JSON)
	})
}

type clientRotateSecretCommand struct{ clientNamed }

// Run replaces the client's secret and prints the new one.
func (c clientRotateSecretCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		secret, err := a.clients.RotateSecret(env.ctx, operator, c.ID)
		if err != nil {
			return fmt.Errorf("client %s: %w", c.ID, err)
		}
		client, err := a.clients.Get(env.ctx, c.ID)
		if err != nil {
			return fmt.Errorf("client %s: %w", c.ID, err)
		}
		return printClient(env.stdout, client, secret, c.JSON)
	})
}

type clientDeleteCommand struct{ clientNamed }

// Run deletes the client.
func (c clientDeleteCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		if err := a.clients.Delete(env.ctx, operator, c.ID); err != nil {
			return fmt.Errorf("client %s: %w", c.ID, err)
		}
		if c.JSON {
			return printJSON(env.stdout, map[string]string{"client_id": c.ID, "status": "deleted"})
		}
		fmt.Fprintln(env.stdout, "deleted", c.ID)
		return nil
	})
}
