// npm oidc-provider as a server beside Gatehouse: on the same paths, with the
// clients (RFC 7591) and the person in its environment. Whoever comes is signed
// in as that person, and consents. It prints where it listens. With REDIS_URL it
// keeps its data there, otherwise in memory; with REFRESH=always a client gets
// refresh tokens without asking anew for consent; with INITIAL_ACCESS_TOKEN
// clients register themselves.
import './runtime.js'
import crypto from 'node:crypto'
import http from 'node:http'
import { Provider } from 'oidc-provider'

const clients = JSON.parse(process.env.CLIENTS)
const person = JSON.parse(process.env.PERSON)
const adapter = process.env.REDIS_URL ? (await import('./redis.js')).RedisStore : (await import('./memory.js')).Memory

const server = http.createServer()
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${server.address().port}`

const key = (type, options, alg) => ({ ...crypto.generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: alg })

const provider = new Provider(issuer, {
  adapter,
  clients,
  extraClientMetadata: { properties: ['access_token_format', 'access_token_signed_response_alg'] },
  jwks: {
    keys: [key('rsa', { modulusLength: 2048 }, 'RS256'), key('ec', { namedCurve: 'P-256' }, 'ES256'), key('ed25519', {}, 'EdDSA')],
  },
  cookies: { keys: [crypto.randomBytes(32).toString('hex')] },
  scopes: ['openid', 'offline_access', 'profile', 'email', 'notify.admin'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  responseTypes: ['code'],
  pkce: { required: () => true },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'], dPoPSigningAlgValues: ['ES256', 'EdDSA'] },
  rotateRefreshToken: true,
  ...(process.env.REFRESH === 'always' && { issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token') }),
  ttl: { AccessToken: 600, ClientCredentials: 600, AuthorizationCode: 60, IdToken: 3600, RefreshToken: 30 * 86400, Session: 12 * 3600, Grant: 30 * 86400, DeviceCode: 600, Interaction: 3600 },
  findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ ...person, sub }) }),
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    deviceFlow: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    claimsParameter: { enabled: true },
    ...(process.env.INITIAL_ACCESS_TOKEN && {
      registration: { enabled: true, initialAccessToken: process.env.INITIAL_ACCESS_TOKEN },
      registrationManagement: { enabled: true },
    }),
    dPoP: { enabled: true, nonceSecret: crypto.randomBytes(32), requireNonce: () => true },
    resourceIndicators: {
      enabled: true,
      // A resource is what makes its access tokens signed ones.
      defaultResource: (ctx, client, oneOf) => oneOf ?? (client.access_token_format === 'jwt' ? issuer : undefined),
      getResourceServerInfo: (ctx, resource, client) => ({
        scope: 'notify.admin notify.usage',
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: client.access_token_signed_response_alg ?? 'ES256' } },
      }),
    },
  },
  routes: {
    authorization: '/oauth/authorize',
    token: '/oauth/token',
    userinfo: '/oauth/userinfo',
    introspection: '/oauth/introspect',
    revocation: '/oauth/revoke',
    jwks: '/oauth/jwks',
    pushed_authorization_request: '/oauth/par',
    device_authorization: '/oauth/device_authorization',
    code_verification: '/device',
    end_session: '/oauth/end-session',
    registration: '/register',
  },
})

provider.use(async (ctx, next) => (ctx.path.startsWith('/interaction/') ? interact(ctx) : next()))

// interact gives what an interaction is for: who it is, or all that is asked for.
async function interact(ctx) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(ctx.req, ctx.res)
  ctx.respond = false
  if (prompt.name === 'login') return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: person.sub } })
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(' '))
  grant.addOIDCClaims(prompt.details.missingOIDCClaims ?? [])
  for (const [resource, scopes] of Object.entries(prompt.details.missingResourceScopes ?? {})) grant.addResourceScope(resource, scopes.join(' '))
  return provider.interactionFinished(ctx.req, ctx.res, { consent: { grantId: await grant.save() } })
}

server.on('request', provider.callback())
console.log(`listening on ${issuer}`)
