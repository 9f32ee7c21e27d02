package main

// Reasons that several differences share.
const (
	onlyWhatWeHave    = "Each says what it has."
	needsClient       = "A request without a usable client is `invalid_client` here, whatever made it so; theirs calls a missing one malformed."
	notAllowed        = "RFC 6749 section 5.2 has `unauthorized_client` for a client that may not use a grant; theirs calls the request malformed."
	otherMethod       = "The path exists for another method, which 405 says (RFC 9110 section 15.5.6); theirs routes by both."
	refreshByGrant    = "Here a client registered for `refresh_token` gets one; theirs only with `offline_access` and consent. Without `offline_access` ours ends with the session."
	fullIDToken       = "Ours has the claims that tell a relying service how and in which session the person signed in; theirs only on request."
	bothSchemes       = "Ours challenges for both kinds of token wherever it takes both (RFC 9449 section 7.1)."
	noToken           = "Whatever is not a token in the header or the form is no token here, so 401; theirs tells them apart as malformed."
	scopeOfResource   = "Theirs checks a client's own scopes against the resource, and drops what that does not know; ours against the client (RFC 6749 section 3.3)."
	signedToken       = "Theirs has no state of a signed token; ours reads its grant, so that it can end at once."
	ownTokensOnly     = "A client sees tokens that it holds or is the audience of, ASVS 10.4; theirs leaves that to a policy, and the default allows all."
	richIntrospection = "Ours adds how the person signed in, the audience and the grant."
	proofFault        = "A fault of the proof is `invalid_dpop_proof` (RFC 9449 section 5); theirs says `invalid_grant` there."
	goneRequest       = "Where to send the error was in the request that is not there: only a page of ours can say so. Theirs goes to the client's only redirect URI."
	formOfError       = "The page that posts is no error itself, so 200 (OAuth 2.0 Form Post Response Mode)."
	basicError        = "The error is in the body; the Basic scheme has no parameter for one (RFC 7617 section 2)."
	noDescription     = "Ours always describes the error."
	askedAnyway       = "A valid hint of this very session is consent enough here (RP-Initiated Logout section 2 lets the server decide); theirs always asks."
)

// reasons say why the answers to questions differ, by the question.
func reasons() map[string]string {
	return map[string]string{
		"discovery: response_modes_supported": "`fragment` is for tokens in the front channel, which ours never issues.",

		"PAR: with a request_uri": "RFC 9126 section 2.1 wants it refused and leaves the code open.",
		"PAR: by GET":             otherMethod,
		"PAR: used twice":         goneRequest, "PAR: used by another client": goneRequest, "PAR: a request_uri that nobody made": goneRequest,

		"discovery: endpoints":                                        onlyWhatWeHave,
		"discovery: acr_values_supported":                             "Ours are the levels of its own sign-in; theirs has none configured.",
		"discovery: claims_supported":                                 onlyWhatWeHave,
		"discovery: dpop_signing_alg_values_supported":                "FAPI 2.0 wants PS256 too.",
		"discovery: grant_types_supported":                            "Theirs has no token exchange.",
		"discovery: request_parameter_supported":                      "The default, said aloud.",
		"discovery: scopes_supported":                                 onlyWhatWeHave,
		"discovery: subject_types_supported":                          "Theirs has pairwise subjects too, when configured.",
		"discovery: token_endpoint_auth_methods_supported":            "`client_secret_jwt` needs the secret in clear; ours keeps a hash.",
		"discovery: token_endpoint_auth_signing_alg_values_supported": "No HMAC, as secrets are hashed; `Ed25519` is the new name of `EdDSA` on that curve.",
		"JWKS: type": "A JWK Set is JSON; the type that RFC 7517 section 8.5 registers is the more exact one.",

		"authorize: response_mode=fragment":                      "`fragment` is for tokens in the front channel, which ours never issues.",
		"authorize: response_mode=surprise":                      "An unsupported value is `invalid_request` (RFC 6749 section 4.1.2.1).",
		"authorize: without scope":                               "RFC 6749 section 3.3: without a default, a missing scope is `invalid_scope`.",
		"authorize: a scope nobody knows":                        "Refused rather than dropped, so that a typing error shows.",
		"authorize: a scope that is not the client's":            "Theirs names the scope in a parameter of its own, ours in the description.",
		"authorize: request":                                     noDescription,
		"authorize: request_uri":                                 noDescription,
		"authorize: registration":                                noDescription,
		"authorize: a resource nobody knows":                     "A target that does not exist is `invalid_target` (RFC 8707 section 2); the rig's peer knows every resource.",
		"authorize: without redirect_uri, which is the only one": "OpenID Connect Core section 3.1.2.1 requires it.",
		"authorize: state twice":                                 "With a repeated parameter nothing in the request is trusted, not even where to send the error.",
		"authorize: by POST":                                     "OpenID Connect Core section 3.1.2.1 requires POST; theirs has it switched off by default.",
		"authorize: by PUT":                                      otherMethod,

		"client: nobody knows": basicError, "client: wrong secret": basicError,
		"client: none": needsClient, "client: a scheme nobody knows": needsClient, "client: an assertion that is none": needsClient,
		"client: secret in the body, registered for the header": "One method for each client, the registered one; theirs takes either of the two.",
		"client: a grant_type that is not its own":              notAllowed,
		"client: by GET": otherMethod,

		"code: redeemed": refreshByGrant, "code: of a public client": refreshByGrant, "code: after another client tried": refreshByGrant,
		"code: with a verifier that is too short":      "A verifier that does not match is `invalid_grant`, however it looks (RFC 7636 section 4.6).",
		"code: without the redirect_uri":               "It was in the authorization request, so it has to be here (RFC 6749 section 4.1.3); theirs forgives that of a client with only one.",
		"code: after a wrong verifier":                 "Whoever has the code and not the verifier has stolen it: the code ends.",
		"ID token: header":                             "The type keeps a token from being taken for another kind.",
		"ID token: claims":                             fullIDToken,
		"ID token: claims with max_age and acr_values": fullIDToken,
		"refresh: the ID token of a refresh":           fullIDToken,
		"refresh: the same token again at once":        "Within ten seconds the same client gets the same successor, as when an answer was lost or sent twice; later the family ends.",

		"client_credentials: without scope":               scopeOfResource,
		"client_credentials: a scope nobody knows":        scopeOfResource,
		"client_credentials: a scope that is not its own": scopeOfResource,
		"client_credentials: a resource nobody knows":     "As at authorization.",

		"userinfo: in the query": noToken, "userinfo: another scheme": noToken,
		"userinfo: without a token":      "Neither challenge has an error code, as RFC 6750 section 3.1 wants without a token; the body only tells people.",
		"userinfo: a token nobody made":  bothSchemes,
		"userinfo: a client's own token": bothSchemes,

		"introspect: own access token":       richIntrospection,
		"introspect: own refresh token":      richIntrospection,
		"introspect: own JWT access token":   signedToken,
		"introspect: another client's token": ownTokensOnly,
		"introspect: no client":              needsClient,
		"introspect: a public client":        "Looking at tokens needs a credential (RFC 7662 section 2.1).",
		"introspect: by GET":                 otherMethod,
		"revoke: another client's token":     "Both leave the token alone; ours does not tell whether it exists (RFC 7009 section 2.1 leaves the answer open).",
		"revoke: a JWT access token":         signedToken,
		"revoke: no client":                  needsClient,

		"DPoP: a day old":                           "Theirs checks the age by the nonce alone when there is one; ours both.",
		"DPoP: a proof used twice":                  proofFault,
		"DPoP: a client that must, without a proof": proofFault,
		"DPoP: introspection":                       richIntrospection,
		"DPoP: userinfo without a proof":            "A request without a proof is refused as one with a wrong proof (RFC 9449 section 7.1).",
		"DPoP: userinfo, shown as Bearer":           bothSchemes,

		"device: begun":                           "The interval, said aloud.",
		"device: the numbers":                     "The interval, said aloud; 5 is the default (RFC 8628 section 3.2).",
		"device: a client that may not":           notAllowed,
		"device: polled twice at once":            "Ours holds a device to its interval (RFC 8628 section 3.5).",
		"device: polled by a client that may not": notAllowed,

		"end-session: signed in, with a hint":          askedAnyway,
		"end-session: signed in, with a hint, by POST": "RP-Initiated Logout section 2 requires POST; theirs has it switched off by default.",

		"register: no JSON": "RFC 7591 section 3.2.2 has one code for metadata that is of no use.",
		"register: by GET":  "The path is also that of the page on which people register.",
		"register: an http redirect URI of another machine": "A code over plain HTTP can be read on the way.",
		"register: a response type without its grant type":  "RFC 7591 section 2.1 wants the two to agree.",
		"register: a scope that is not for everybody":       "Ours registers the client without it and says so in the answer (RFC 7591 section 2); the operator gives it.",
		"registration: the secret when read":                "Ours keeps only a hash, so it is shown once.",
		"registration: changed, another client_id":          "RFC 7592 section 2.2 wants it refused; the metadata are what is wrong.",
		"form_post: a scope that is not the client's":       formOfError,
		"form_post: prompt=none login":                      formOfError,
		"form_post: without PKCE":                           formOfError,
	}
}
