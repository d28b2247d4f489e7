/** The made-up team's buckets: one that answers, and one that doesn't. */

import type { BucketAdd, BucketChange, BucketChecked, BucketOut, BucketsOut } from '../src/api/types.ts'
import type { Options } from './fixtures.ts'

/** A bucket of this name is refused. */
const REFUSED = 's3://refused'
const MINUTE = 60_000

let buckets: BucketOut[] | null = null

export function resetBuckets(): void {
  buckets = null
}

const ago = (minutes: number): string => new Date(Date.now() - minutes * MINUTE).toISOString()

function bucketsOf({ scene, language }: Options): BucketOut[] {
  const usual = { region: 'eu-central-1', path_style: true, access: 'keys', minutes: 15, certificate: false, has_keys: true, failing_since: null, problem: null } as const
  const [cause, remedy] =
    language === 'en'
      ? ['The bucket’s server refuses connections, or doesn’t answer in time.', 'Check the endpoint, its port, and the firewall between.']
      : ['存储桶所在的服务器拒绝连接，或没有及时应答。', '请检查端点、端口以及中间的防火墙。']
  buckets ??=
    scene === 'team'
      ? [
          { ...usual, name: 'bucket-1', address: 's3://school-photos/2026', endpoint: 'https://minio.example:9000', library_id: 1, photos: 18_204, listed_at: ago(4) },
          {
            ...usual,
            name: 'bucket-2',
            address: 's3://archive-of-the-years-before-the-move-to-the-new-building/originals',
            endpoint: '',
            library_id: null,
            photos: 1,
            listed_at: ago(3_000),
            failing_since: ago(130),
            problem: { code: 'bucket.not_reached', cause, remedy, params: {} },
          },
        ]
      : []
  return buckets
}

function checked(address: string, { language }: Options): BucketChecked {
  if (!address.startsWith(REFUSED)) return { holds_objects: true, problem: null }
  const [cause, remedy] =
    language === 'en'
      ? ['The bucket’s server doesn’t know the access key, or its secret is another one, or it has expired.', 'Enter the keys again.']
      : ['存储桶所在的服务器不认识该访问密钥，或密钥不匹配，或密钥已过期。', '请重新输入密钥。']
  return { holds_objects: false, problem: { code: 'bucket.keys_wrong', cause, remedy, params: {} } }
}

/** Undefined: nothing to say but that it is done. */
export function ofBuckets(method: string, path: string, body: string, options: Options): unknown {
  const all = bucketsOf(options)
  const [, name, deed] = /^\/api\/buckets(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(path) ?? []
  if (name === 'check') return checked((JSON.parse(body) as BucketAdd).address, options)
  const found = all.find((each) => each.name === name)
  if (deed === 'check') return checked(found?.address ?? '', options)
  if (deed !== undefined) return undefined
  if (method === 'GET') return { items: all } satisfies BucketsOut
  if (method === 'DELETE') {
    buckets = all.filter((each) => each.name !== name)
    return undefined
  }
  if (method === 'PATCH' && found !== undefined) {
    const { address, minutes } = JSON.parse(body) as BucketChange
    const changed = { ...found, address: address ?? found.address, minutes: minutes ?? found.minutes }
    buckets = all.map((each) => (each === found ? changed : each))
    return changed
  }
  const wanted = JSON.parse(body) as BucketAdd
  const made: BucketOut = {
    name: wanted.name || `bucket-${all.length + 1}`,
    address: wanted.address,
    endpoint: wanted.endpoint ?? '',
    region: wanted.region ?? '',
    path_style: wanted.path_style ?? true,
    access: wanted.access ?? 'keys',
    minutes: wanted.minutes ?? 15,
    certificate: false,
    has_keys: true,
    library_id: wanted.library_id,
    photos: 0,
    listed_at: null,
    failing_since: null,
    problem: null,
  }
  buckets = [...all, made]
  return made
}
