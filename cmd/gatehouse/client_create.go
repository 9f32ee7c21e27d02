package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"gatehouse/authn/cutover"
	"gatehouse/oauth"
)

type clientCreateCommand struct {
	ID                                 string            `name:"id" help:"Client id; generated when missing."`
	Name                               string            `help:"Name people see; the id when missing."`
	NameIn                             map[string]string `mapsep:"none" placeholder:"TAG=NAME" help:"Name for people who read a language, such as cy='Y siop'; may be repeated."`
	Grant                              []string          `help:"Grant type: authorization_code, refresh_token, client_credentials, device_code or token-exchange; may be repeated."`
	Scope                              []string          `help:"Scope it may ask for; may be repeated."`
	Role                               []string          `help:"Role in the authorities claim, such as PROBATION_API__HMPPS_AUTH__AUTHENTICATE; may be repeated."`
	RedirectURI                        []string          `name:"redirect-uri" sep:"none" help:"Redirect URI; may be repeated."`
	PostLogoutRedirectURI              []string          `name:"post-logout-redirect-uri" sep:"none" help:"Where a browser may go after signing out; may be repeated."`
	AuthMethod                         string            `help:"client_secret_basic, client_secret_post, private_key_jwt or none." default:""`
	JWKS                               string            `name:"jwks" type:"existingfile" help:"File with the client's public keys, for private_key_jwt."`
	Kind                               string            `help:"Company of the marketplace: partner or provider." enum:"partner,provider," default:""`
	IDTokenAlg                         string            `name:"id-token-alg" help:"RS256, ES256 or EdDSA." enum:"RS256,ES256,EdDSA" default:"RS256"`
	AccessTokenAlg                     string            `name:"access-token-alg" help:"ES256, RS256 or EdDSA." enum:"RS256,ES256,EdDSA" default:"ES256"`
	AccessTokenFormat                  string            `name:"access-token-format" help:"jwt or opaque." enum:"jwt,opaque" default:"jwt"`
	Public                             bool              `help:"Has no secret, such as an app on a phone."`
	FirstParty                         bool              `help:"Skips the consent page."`
	PKCEOptional                       bool              `name:"pkce-optional" help:"For a confidential client that cannot do PKCE; each use is logged."`
	RequirePushedAuthorizationRequests bool              `help:"Only takes authorization requests that were pushed (RFC 9126)."`
	DPoPBoundAccessTokens              bool              `name:"dpop-bound-access-tokens" help:"Only takes tokens bound to a key (RFC 9449)."`

	clientMetadataFlags

	JSON bool `name:"json" help:"Print JSON."`
}

// clientMetadataFlags are the properties that not every client needs.
type clientMetadataFlags struct {
	ApplicationType                  string   `help:"web or native." enum:"web,native," default:""`
	JWKSURI                          string   `name:"jwks-uri" help:"Where the client publishes its keys, for private_key_jwt."`
	TokenEndpointAuthSigningAlg      string   `help:"The only algorithm of the client's assertions: RS256, PS256, ES256 or EdDSA."`
	SubjectType                      string   `help:"public or pairwise." enum:"public,pairwise," default:""`
	SectorIdentifierURI              string   `name:"sector-identifier-uri" help:"Document that lists the redirect URIs of a sector, whose clients know a user by the same subject."`
	UserinfoAlg                      string   `help:"Signs userinfo answers: RS256, ES256 or EdDSA."`
	DefaultMaxAge                    int64    `help:"Seconds after which a sign-in is too old for the client; -1 for never." default:"-1"`
	RequireAuthTime                  bool     `help:"Always tell when the user signed in."`
	DefaultACR                       []string `name:"default-acr" help:"Level of a sign-in to ask for where a request does not; may be repeated."`
	MinimumACR                       string   `name:"minimum-acr" help:"Least level of a sign-in that the client accepts: urn:gatehouse:acr:single-factor or urn:gatehouse:acr:multi-factor."`
	Organisation                     string   `placeholder:"ID" help:"Organisation whose name, colour and logo the pages carry on the way to the client."`
	Shadow                           string   `help:"Which system the client relies on at /authenticate while an old one is asked too: off, upstream-first or local-first; the configuration's when missing."`
	EmailSignIn                      bool     `help:"Lets people sign in for the client by reading their mail alone, at the level urn:gatehouse:acr:email."`
	ResponseMode                     []string `help:"query or form_post: the only modes the client may ask for; may be repeated."`
	Audience                         []string `sep:"none" help:"What the client may ask tokens for beside this service; may be repeated."`
	Resource                         []string `sep:"none" help:"What the client answers to as a resource server, beside its id; may be repeated."`
	BackchannelLogoutURI             string   `name:"backchannel-logout-uri" help:"Where the client is told that a session ended."`
	BackchannelLogoutSessionRequired bool     `help:"Tell it which session."`
	InitiateLoginURI                 string   `name:"initiate-login-uri" help:"Where a sign-in that begins elsewhere starts."`
	ClientURI                        string   `name:"client-uri" help:"Home page."`
	LogoURI                          string   `name:"logo-uri" help:"Logo."`
	PolicyURI                        string   `name:"policy-uri" help:"Privacy notice."`
	TermsURI                         string   `name:"tos-uri" help:"Terms of service."`
	Contact                          []string `help:"Address of who is responsible; may be repeated."`
}

func (f clientMetadataFlags) metadata() oauth.Metadata {
	m := oauth.Metadata{
		ApplicationType: f.ApplicationType, JWKSURI: f.JWKSURI, AuthSigningAlg: f.TokenEndpointAuthSigningAlg, SubjectType: f.SubjectType,
		SectorIdentifierURI: f.SectorIdentifierURI, UserInfoAlg: f.UserinfoAlg, RequireAuthTime: f.RequireAuthTime, DefaultACRValues: f.DefaultACR,
		MinimumACR: f.MinimumACR, OrganisationID: f.Organisation, Shadow: cutover.Mode(f.Shadow), EmailSignIn: f.EmailSignIn, ResponseModes: f.ResponseMode, Audiences: f.Audience, Resources: f.Resource, BackchannelLogoutURI: f.BackchannelLogoutURI,
		BackchannelLogoutSessionRequired: f.BackchannelLogoutSessionRequired, InitiateLoginURI: f.InitiateLoginURI, ClientURI: f.ClientURI,
		LogoURI: f.LogoURI, PolicyURI: f.PolicyURI, TermsURI: f.TermsURI, Contacts: f.Contact,
	}
	if f.DefaultMaxAge >= 0 {
		m.DefaultMaxAge = &f.DefaultMaxAge
	}
	return m
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
			ID: c.ID, Name: cmp.Or(c.Name, c.ID, "Unnamed client"), Localised: namesIn(c.NameIn), GrantTypes: grantTypes(c.Grant), Scopes: c.Scope, Roles: c.Role, RedirectURIs: c.RedirectURI,
			PostLogoutRedirectURIs: c.PostLogoutRedirectURI, AuthMethod: oauth.AuthMethod(c.AuthMethod), JWKS: jwks, Kind: c.Kind,
			IDTokenAlg: c.IDTokenAlg, AccessTokenAlg: c.AccessTokenAlg, TokenFormat: oauth.TokenFormat(c.AccessTokenFormat),
			Public: c.Public, FirstParty: c.FirstParty, PKCEOptional: c.PKCEOptional,
			RequirePAR: c.RequirePushedAuthorizationRequests, DPoPBound: c.DPoPBoundAccessTokens, Metadata: c.metadata(),
		})
		if err != nil {
			return err
		}
		return printClient(env.stdout, client, secret, c.JSON)
	})
}

// namesIn are the names for readers of languages, by the members they are.
func namesIn(tagged map[string]string) map[string]string {
	all := map[string]string{}
	for tag, name := range tagged {
		all["client_name#"+tag] = name
	}
	return all
}

// grantTypes spells out the grant types whose names are long.
func grantTypes(names []string) []string {
	long := map[string]string{"device_code": oauth.GrantDeviceCode, "token-exchange": oauth.GrantTokenExchange}
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = cmp.Or(long[name], name)
	}
	return all
}
