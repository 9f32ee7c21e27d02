// Where oidc-provider keeps things in the Redis of REDIS_URL: each a hash, with
// its indexes and the members of its grant as keys of their own.
import { Redis } from 'ioredis'

const redis = new Redis(process.env.REDIS_URL, { keyPrefix: process.env.REDIS_PREFIX, enableAutoPipelining: true })

export class RedisStore {
  constructor(model) {
    this.model = model
  }

  key(id) {
    return `${this.model}:${id}`
  }

  async upsert(id, payload, expiresIn) {
    const key = this.key(id)
    const all = redis.multi().hset(key, 'payload', JSON.stringify(payload))
    if (expiresIn) all.expire(key, expiresIn)
    if (this.model === 'Session') all.set(`uid:${payload.uid}`, id, 'EX', expiresIn)
    if (payload.userCode) all.set(`userCode:${payload.userCode}`, id, 'EX', expiresIn)
    if (payload.grantId && this.model !== 'Session' && this.model !== 'Grant') {
      all.sadd(`grant:${payload.grantId}`, key)
      all.expire(`grant:${payload.grantId}`, expiresIn, 'NX')
      all.expire(`grant:${payload.grantId}`, expiresIn, 'GT')
    }
    await all.exec()
  }

  async find(id) {
    const [payload, consumed] = await redis.hmget(this.key(id), 'payload', 'consumed')
    if (!payload) return undefined
    return consumed ? { ...JSON.parse(payload), consumed: Number(consumed) } : JSON.parse(payload)
  }

  async findByUid(uid) {
    return this.find(await redis.get(`uid:${uid}`))
  }

  async findByUserCode(code) {
    return this.find(await redis.get(`userCode:${code}`))
  }

  async consume(id) {
    await redis.hset(this.key(id), 'consumed', Math.floor(Date.now() / 1000))
  }

  async destroy(id) {
    await redis.del(this.key(id))
  }

  async revokeByGrantId(grantId) {
    const keys = await redis.smembers(`grant:${grantId}`)
    await redis.del(`grant:${grantId}`, ...keys)
  }
}
