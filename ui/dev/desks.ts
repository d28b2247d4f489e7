/** The made-up team as a desktop sees it. */

import type { IncomingMessage, ServerResponse } from 'node:http'

import type { JoiningOut, Problem, TeamNameConflict, TeamOut, TeamReceipt } from '../src/api/types.ts'
import type { Options } from './fixtures.ts'

const FINGERPRINT = Array.from({ length: 32 }, (_, byte) => ((byte * 37 + 11) % 256).toString(16).padStart(2, '0').toUpperCase()).join(':')
const CODE = 'KWDR-PTXM'
/** A server that lets the computer in by the next look. */
const WILLING = 'soon.example.org'
/** A server with another certificate. */
const OTHER = 'other.example.org'

const minutes = (count: number): string => new Date(Date.now() + count * 60_000).toISOString()

const none = (): TeamOut => ({
  state: 'none',
  name: '',
  address: '',
  fingerprint: '',
  member: '',
  may_name: false,
  people: 0,
  prints: 0,
  waiting: 0,
  unsent: 0,
  seen_at: null,
  joining: null,
  problem: null,
  conflicts: [],
  corrections: [],
  sharing: null,
})

const SHARED = { sent: 1_204, waiting: 310, stays: 86, refused: 2, problem: null }

function joined(over: Partial<TeamOut> = {}): TeamOut {
  return { ...none(), state: 'joined', name: 'photos.school.example', address: 'https://photos.school.example:8443', fingerprint: FINGERPRINT, member: 'Mei Lindgren', may_name: true, people: 214, prints: 3_871, seen_at: minutes(0), sharing: SHARED, ...over }
}

const conflicts = ({ language }: Options): TeamNameConflict[] => [
  { uid: '1'.repeat(32), person_id: 1, mine: 'Mei Lindgren-Featherstonehaugh', theirs: language === 'en' ? 'Mei' : '梅', by: 'Tomás Herrera', at: minutes(-90), reason: 'conflict', face_id: null, image_id: null },
  { uid: '2'.repeat(32), person_id: 2, mine: language === 'en' ? 'Li Wei' : '李伟', theirs: language === 'en' ? 'Wei' : '小伟', by: '', at: null, reason: 'taken', face_id: null, image_id: null },
  { uid: '3'.repeat(32), person_id: 3, mine: language === 'en' ? 'Anna' : '安娜', theirs: '', by: '', at: null, reason: 'face', face_id: 1, image_id: 1 },
]

const problem = (code: string, { language }: Options, en: readonly [string, string], zh: readonly [string, string]): Problem => {
  const [cause, remedy] = language === 'en' ? en : zh
  return { code, cause, remedy, params: {} }
}
const certificateChanged = (options: Options): Problem =>
  problem(
    'team.certificate_changed',
    options,
    ['The server’s certificate is not one that this computer trusts.', 'The connection may be intercepted; nothing was sent. Ask the administrator.'],
    ['服务器的证书不受本机信任。', '本机与服务器之间可能有人冒充；没有发送任何内容。请询问管理员。'],
  )

let team: TeamOut | null = null

export function resetDesks(): void {
  team = null
}

function current(options: Options): TeamOut {
  if (team !== null) return team
  if (options.scene === 'desk_joined') return joined()
  if (options.scene === 'desk_read_only') return joined({ may_name: false, people: 1, waiting: 1, problem: certificateChanged(options) })
  if (options.scene === 'desk_conflicts') return joined({ waiting: 2, conflicts: conflicts(options) })
  return none()
}

function join(address: string, options: Options): [number, unknown] {
  if (address === OTHER) return [409, certificateChanged(options)]
  const joining: JoiningOut = { address: `https://${address}:8443`, name: 'photos.school.example', fingerprint: FINGERPRINT, code: CODE, page: `https://${address}:8443/#join/${CODE}`, until: minutes(10), system_trusts: false }
  team = { ...none(), state: 'joining', joining }
  return [200, joining]
}

function look(options: Options): TeamOut {
  const now = current(options)
  if (now.joining?.address.includes(WILLING) === true) team = joined()
  return now
}

function leave(): TeamReceipt {
  team = none()
  return { server: 'photos.school.example', at: minutes(0), people: 214, prints: 3_871, names: 3, unsent: 0, revoked: false, removed_photos: 0, removed_results: 0, stays_photos: 0, stays_results: 0 }
}

function reply(request: string, body: Record<string, unknown>, options: Options): [number, unknown] | null {
  switch (request) {
    case 'GET /api/team':
      return [200, look(options)]
    case 'POST /api/team/join':
      return join(String(body['address']), options)
    case 'DELETE /api/team/join':
      team = none()
      return [204, null]
    case 'GET /api/team/libraries':
      return [200, ['School', 'Sports club']]
    case 'POST /api/team/take-back':
      team = { ...current(options), sharing: { ...SHARED, stays: 0 } }
      return [200, { photos: SHARED.stays, uploads: 0 }]
    case 'POST /api/team/leave':
      return [200, leave()]
  }
  const settled = /^POST \/api\/team\/conflicts\/(\w+)$/.exec(request)?.[1]
  if (settled === undefined) return null
  const now = current(options)
  team = { ...now, conflicts: now.conflicts.filter(({ uid }) => uid !== settled) }
  return [204, null]
}

/** False for everything else. */
export function answerDesks(request: IncomingMessage, response: ServerResponse, url: URL, options: Options): boolean {
  if (!/^\/api\/team\b/.test(url.pathname)) return false
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const text = Buffer.concat(parts).toString()
    const [status, answer] = reply(`${request.method ?? 'GET'} ${url.pathname}`, text === '' ? {} : (JSON.parse(text) as Record<string, unknown>), options) ?? [404, { code: 'api.not_found', cause: '', remedy: '', params: {} }]
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', 'content-language': options.language })
    response.end(answer === null ? '' : JSON.stringify(answer))
  })
  return true
}
