// Where oidc-provider keeps things: a Map. The package's own memory adapter
// forgets everything beyond the last thousand entries, too few under load.
const entries = new Map()
const members = new Map() // of a grant

export class Memory {
  constructor(model) {
    this.model = model
  }

  key(id) {
    return `${this.model}:${id}`
  }

  async upsert(id, payload, expiresIn) {
    const key = this.key(id)
    entries.set(key, { payload, expires: expiresIn ? Date.now() + expiresIn * 1000 : Infinity })
    if (this.model === 'Session') entries.set(`uid:${payload.uid}`, { payload: id, expires: Infinity })
    if (payload.userCode) entries.set(`userCode:${payload.userCode}`, { payload: id, expires: Infinity })
    if (payload.grantId && this.model !== 'Session' && this.model !== 'Grant') {
      if (!members.has(payload.grantId)) members.set(payload.grantId, new Set())
      members.get(payload.grantId).add(key)
    }
  }

  async find(id) {
    return read(this.key(id))
  }

  async findByUid(uid) {
    return this.find(read(`uid:${uid}`))
  }

  async findByUserCode(code) {
    return this.find(read(`userCode:${code}`))
  }

  async consume(id) {
    read(this.key(id)).consumed = Math.floor(Date.now() / 1000)
  }

  async destroy(id) {
    const key = this.key(id)
    members.get(read(key)?.grantId)?.delete(key)
    entries.delete(key)
  }

  async revokeByGrantId(grantId) {
    for (const key of members.get(grantId) ?? []) entries.delete(key)
    members.delete(grantId)
  }
}

function read(key) {
  const entry = entries.get(key)
  if (!entry || entry.expires <= Date.now()) {
    entries.delete(key)
    return undefined
  }
  return entry.payload
}
