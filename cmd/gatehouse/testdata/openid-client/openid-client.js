// What npm openid-client does for a relying service that proves itself with a
// key, takes ES256 ID tokens and signs people out at the end.
import * as client from 'openid-client'
import { open, connect, done } from './conversation.js'

const { ISSUER, CALLBACK, AFTER_LOGOUT, CLIENT_ID, CLIENT_KEY, MACHINE_SCOPE } = process.env

const jwk = JSON.parse(CLIENT_KEY)
const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
const config = await client.discovery(
  new URL(ISSUER), CLIENT_ID, { id_token_signed_response_alg: 'ES256' }, client.PrivateKeyJwt({ key, kid: jwk.kid }),
  { execute: [client.allowInsecureRequests] }, // the issuer is on a loopback address
)
client.enableNonRepudiationChecks(config) // verifies signatures that TLS would make up for
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair())

const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()
const target = await client.buildAuthorizationUrlWithPAR(
  config,
  {
    redirect_uri: CALLBACK, scope: 'openid email offline_access', state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  },
  { DPoP },
)
const tokens = await client.authorizationCodeGrant(
  config, await open(target),
  { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }, undefined, { DPoP },
)
const { sub } = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, sub, { DPoP })
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
const before = await client.tokenIntrospection(config, refreshed.access_token)
await client.tokenRevocation(config, refreshed.refresh_token)
const after = await client.tokenIntrospection(config, refreshed.access_token)

const shown = await client.initiateDeviceAuthorization(config, { scope: 'openid' })
await connect(shown.user_code)
const device = await client.pollDeviceAuthorizationGrant(config, shown)

const machine = await client.clientCredentialsGrant(config, { scope: MACHINE_SCOPE }, { DPoP })

const left = await open(
  client.buildEndSessionUrl(config, { id_token_hint: device.id_token, post_logout_redirect_uri: AFTER_LOGOUT, state: 'bye-1234' }),
)

done({
  sub, email: userinfo.email, idTokenAlg: JSON.parse(atob(tokens.id_token.split('.')[0])).alg, tokenType: tokens.token_type,
  rotated: refreshed.refresh_token !== tokens.refresh_token, before: before.active, after: after.active,
  deviceSub: device.claims().sub, machineType: machine.token_type, machineScope: machine.scope, left: left.href,
})
