// What a careful client does with npm oauth4webapi: it registers itself, pushes
// its authorization request, binds everything to a key, and waits for a device.
import * as oauth from 'oauth4webapi'
import { open, connect, done } from './conversation.js'

const { ISSUER, CALLBACK, INITIAL_ACCESS_TOKEN, DEVICE_CLIENT_ID } = process.env
const insecure = { [oauth.allowInsecureRequests]: true } // the issuer is on a loopback address

const issuer = new URL(ISSUER)
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
const plain = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }))

// Where the directory API says its tokens come from (RFC 9728).
const directory = await oauth.processResourceDiscoveryResponse(issuer, await oauth.resourceDiscoveryRequest(issuer, insecure))

const client = await oauth.processDynamicClientRegistrationResponse(
  await oauth.dynamicClientRegistrationRequest(
    as,
    {
      client_name: 'Example Forms', redirect_uris: [CALLBACK], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post', scope: 'openid email offline_access',
      dpop_bound_access_tokens: true, require_pushed_authorization_requests: true,
    },
    { initialAccessToken: INITIAL_ACCESS_TOKEN, ...insecure },
  ),
)
const authentication = oauth.ClientSecretPost(client.client_secret)

// A request is sent again when the answer is a nonce to be used, and this counts them.
let nonces = 0
const key = await oauth.generateKeyPair('ES256')
const DPoP = oauth.DPoP(client, key)
async function bound(send, process) {
  try {
    return await process(await send())
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    nonces++
    return process(await send())
  }
}

const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const nonce = oauth.generateRandomNonce()
const pushed = await bound(
  async () =>
    oauth.pushedAuthorizationRequest(
      as, client, authentication,
      {
        redirect_uri: CALLBACK, response_type: 'code', scope: 'openid email offline_access', state, nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
      },
      { DPoP, ...insecure },
    ),
  (response) => oauth.processPushedAuthorizationResponse(as, client, response),
)
const target = new URL(as.authorization_endpoint)
target.search = new URLSearchParams({ client_id: client.client_id, request_uri: pushed.request_uri })
const parameters = oauth.validateAuthResponse(as, client, await open(target), state)

const tokens = await bound(
  () => oauth.authorizationCodeGrantRequest(as, client, authentication, parameters, CALLBACK, verifier, { DPoP, ...insecure }),
  (response) => oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true }),
)
const { sub } = oauth.getValidatedIdTokenClaims(tokens)
const info = (token) =>
  bound(
    () => oauth.userInfoRequest(as, client, token, { DPoP, ...insecure }),
    (response) => oauth.processUserInfoResponse(as, client, sub, response),
  )
const userinfo = await info(tokens.access_token)

const refreshed = await bound(
  () => oauth.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token, { DPoP, ...insecure }),
  (response) => oauth.processRefreshTokenResponse(as, client, response),
)
const introspect = async (token) =>
  oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, authentication, token, insecure))
const before = await introspect(refreshed.access_token)
await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, authentication, refreshed.refresh_token, insecure))
const after = await introspect(refreshed.access_token)

// A device, which has no secret and no browser.
const device = { client_id: DEVICE_CLIENT_ID }
const shown = await oauth.processDeviceAuthorizationResponse(
  as, device, await oauth.deviceAuthorizationRequest(as, device, oauth.None(), { scope: 'openid' }, insecure),
)
const poll = async () =>
  oauth.processDeviceCodeResponse(as, device, await oauth.deviceCodeGrantRequest(as, device, oauth.None(), shown.device_code, insecure))
const pending = await poll().catch((error) => error.error)
await connect(shown.user_code)
const connected = await poll()

done({
  sub, email: userinfo.email, plainTokenEndpoint: plain.token_endpoint, directory: directory.authorization_servers?.[0], registered: client.client_id, nonces,
  tokenType: tokens.token_type, rotated: refreshed.refresh_token !== tokens.refresh_token,
  before: before.active, bound: before.cnf?.jkt !== undefined, after: after.active,
  pending, deviceSub: oauth.getValidatedIdTokenClaims(connected)?.sub,
})
