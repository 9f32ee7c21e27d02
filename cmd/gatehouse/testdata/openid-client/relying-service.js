// A relying service that signs one person in with npm openid-client, as its
// documentation shows, and then reads the directory with the access token.
// It prints where it listens, and answers the callback with what it learned.
import http from 'node:http'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, SCOPE, DIRECTORY_PATH } = process.env

const config = await client.discovery(new URL(ISSUER), CLIENT_ID, undefined, client.ClientSecretBasic(CLIENT_SECRET), {
  execute: [client.allowInsecureRequests], // the issuer is on a loopback address
})
const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()

const server = http.createServer(async (request, response) => {
  try {
    const url = new URL(request.url, origin())
    if (url.pathname === '/start') return await start(response)
    if (url.pathname === '/callback') return await callback(url, response)
    response.writeHead(404).end()
  } catch (error) {
    page(response, 500, 'Failed', { error: error.message, code: error.code, cause: error.cause })
  }
})

const origin = () => `http://127.0.0.1:${server.address().port}`

async function start(response) {
  const target = client.buildAuthorizationUrl(config, {
    redirect_uri: `${origin()}/callback`,
    scope: SCOPE,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  })
  response.writeHead(302, { location: target.href }).end()
}

async function callback(url, response) {
  const tokens = await client.authorizationCodeGrant(config, url, {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
  })
  const claims = tokens.claims()
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
  const directory = await client.fetchProtectedResource(config, tokens.access_token, new URL(DIRECTORY_PATH, ISSUER), 'GET')
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
  page(response, 200, 'Signed in', {
    claims, userinfo, directory: directory.status, organisation: await directory.json(), refreshed: Boolean(refreshed.access_token),
  })
}

function page(response, status, heading, result) {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' })
  response.end(`<!DOCTYPE html><title>${heading}</title><h1>${heading}</h1><pre id="result">${escape(JSON.stringify(result))}</pre>`)
}

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

server.listen(0, '127.0.0.1', () => console.log(`listening on ${origin()}`))
