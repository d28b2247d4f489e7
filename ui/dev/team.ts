/** The made-up team: who asks by the scene's role, its members, sessions and tokens. */

import type { IncomingMessage, ServerResponse } from 'node:http'

import type { AccountOut, MemberOut, PasskeyOut, Role, Scope, TokenOut } from '../src/api/types.ts'
import { backupAnswer, resetBackups } from './backups.ts'
import { consentReply, linkReply, resetConsents } from './consents.ts'
import type { Options } from './fixtures.ts'
import { alertReply, incidentReply, recordReply, resetIncidents } from './incidents.ts'
import { ago, DAY, databaseAway, is, OK, problem, type Reply } from './replies.ts'
import { resetWorkers, workerReply } from './workers.ts'

/** Scenes with a team: its role is who looks at the page. */
const ROLES: Readonly<Record<string, Role>> = {
  team: 'administrator',
  team_alone: 'administrator',
  team_empty: 'administrator',
  team_broken: 'administrator',
  team_new: 'administrator',
  team_new_editor: 'editor',
  team_bare_editor: 'editor',
  team_curator: 'curator',
  team_editor: 'editor',
  team_viewer: 'viewer',
  team_auditor: 'auditor',
  team_library_auditor: 'viewer',
}
const VIEWER: readonly Scope[] = ['self', 'status.read', 'photos.read', 'people.read']
const SCOPES: Readonly<Record<Role, readonly Scope[]>> = {
  administrator: [...VIEWER, 'system.read', 'photos.write', 'photos.upload', 'photos.export', 'people.write', 'people.search', 'people.erase', 'people.recognise', 'consent.read', 'consent.write', 'redaction.read', 'redaction.write', 'settings.read', 'settings.write', 'workers.manage', 'members.manage', 'record.read', 'incidents.read', 'incidents.manage', 'alerts.read', 'alerts.manage', 'alerts.write', 'backups.manage'],
  curator: [...VIEWER, 'photos.write', 'photos.upload', 'people.write', 'people.search', 'people.erase', 'people.recognise', 'consent.read', 'consent.write', 'redaction.read'],
  editor: [...VIEWER, 'photos.write', 'photos.upload', 'photos.export', 'people.search', 'people.recognise', 'consent.read', 'redaction.read', 'redaction.write'],
  viewer: VIEWER,
  auditor: ['self', 'status.read', 'record.read', 'incidents.read'],
}
/** of one library, and nothing else */
const OF_A_LIBRARY: readonly Scope[] = ['self', 'status.read', 'record.read']
const PASSWORD = 'correct horse battery staple'
const CODE = '123456'
const [PROVIDER, ISSUER] = ['Greenfield School', 'https://id.school.example']
const RECOVERY = Array.from({ length: 10 }, (_, index) => `k7qf-2m9x-${(index * 7919 + 4096).toString(16)}`)
const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'

interface State {
  passkeys: PasskeyOut[]
  signedIn: boolean
  attempts: number
  used: boolean
  second: boolean
  linked: boolean
  sessions: readonly number[]
  members: MemberOut[] | null
  tokens: TokenOut[]
  displayName: string
}
const fresh = (): State => ({
  signedIn: false,
  attempts: 0,
  used: false,
  second: false,
  linked: true,
  sessions: [1, 2, 3],
  members: null,
  tokens: [{ id: 't1', name: 'Nightly export', scopes: ['photos.read', 'redaction.read'], created_at: ago(40 * DAY), expires_at: ago(-50 * DAY), used_at: ago(DAY / 3) }],
  passkeys: [{ id: '0a1b', name: 'Laptop', host: '127.0.0.1', synced: false, created_at: ago(60 * DAY), used_at: ago(DAY) }],
  displayName: 'Mei Lindgren',
})
let state = fresh()

export function resetTeam(): void {
  resetBackups()
  resetConsents()
  resetIncidents()
  resetWorkers()
  state = fresh()
}

const member = (id: string, display_name: string, role: Role, over: Partial<MemberOut> = {}): MemberOut => ({
  id,
  name: display_name.toLowerCase().split(' ')[0] ?? '',
  display_name,
  role,
  state: 'active',
  second_factor: false,
  provider: false,
  created_at: ago(90 * DAY),
  seen_at: ago(120_000),
  invited_until: null,
  ...over,
})

function members({ scene }: Options): MemberOut[] {
  state.members ??= [
    member('m1', 'Mei Lindgren', 'administrator', { second_factor: true, provider: true }),
    ...(scene === 'team_alone'
      ? []
      : [
          member('m2', 'Tomás Herrera', 'curator', { seen_at: ago(26 * 3_600_000) }),
          member('m3', 'Bartholomäus Featherstonehaugh-Wolfeschlegel', 'editor', { name: 'bartholomäus.featherstonehaugh', seen_at: null }),
          member('m4', 'Priya Natarajan', 'viewer', { state: 'invited', seen_at: null, invited_until: ago(-6 * DAY) }),
          member('m5', 'Sam Okafor', 'viewer', { state: 'locked', seen_at: ago(12 * DAY) }),
          member('m6', 'Noor Haddad', 'auditor', { state: 'invited', seen_at: null }),
        ]),
  ]
  return state.members
}

/** Who looks at the page; null on the desktop. */
function account({ scene }: Options): AccountOut | null {
  const role = ROLES[scene] ?? (state.signedIn ? 'viewer' : null)
  if (role === null) return null
  return {
    kind: 'member',
    id: role === 'administrator' ? 'm1' : 'm2',
    name: 'mei',
    display_name: state.displayName,
    role,
    scopes: scene === 'team_library_auditor' ? OF_A_LIBRARY : SCOPES[role],
    second_factor: state.second,
    recovery_codes: state.second ? 3 : 0,
    password: true,
    password_changed_at: ago(33 * DAY),
  }
}

const wrongPassword = (options: Options): Reply =>
  problem(422, 'account.old_password_wrong', options, ['The current password is wrong.', 'Check it and try again.'], ['当前密码不正确。', '请检查后重试。'])

function signIn({ name, password, code }: Record<string, unknown>, options: Options): Reply {
  if (state.attempts >= 3)
    return problem(429, 'account.too_many_attempts', options, ['Too many attempts.', 'Wait a moment, then try again.'], ['尝试次数过多。', '请稍候再试。'], { seconds: 3 })
  if (password !== PASSWORD || (code !== undefined && code !== CODE && !RECOVERY.includes(String(code)))) {
    state.attempts += 1
    return problem(401, 'account.wrong_sign_in', options, ['Name, password or code is wrong.', 'Check them and try again.'], ['用户名、密码或验证码不正确。', '请检查后重试。'])
  }
  if (name === 'mei' && code === undefined) return problem(401, 'account.second_factor_required', options, ['A code is needed.', 'Enter it.'], ['需要验证码。', '请输入。'])
  state.signedIn = true
  return is({ key: 'k', ticket: 't' })
}

function change(id: string, wanted: Record<string, unknown>, options: Options): Reply {
  const { locked, ...rest } = wanted
  state.members = members(options).map((each) => (each.id === id ? { ...each, ...rest, ...(locked !== undefined && { state: locked ? 'locked' : 'active' }) } : each))
  return is(state.members.find((each) => each.id === id))
}

function reply(method: string, path: string, body: Record<string, unknown>, options: Options): Reply | null {
  const [, id = ''] = /^\/api\/(?:members|account\/(?:sessions|tokens|passkeys))\/([^/]+)/.exec(path) ?? []
  switch (`${method} ${id === '' || id === 'names' ? path : path.replace(id, '{id}')}`) {
    case 'GET /api/account':
      return is(account(options) ?? { kind: 'local', id: '', name: '', display_name: '', role: null, scopes: [], second_factor: false, recovery_codes: 0, password_changed_at: null })
    case 'PATCH /api/account':
      state.displayName = String(body['display_name'])
      return OK
    case 'GET /api/server':
      return is({ name: 'photos.school.example', version: '0.2.0', fingerprint: Array.from({ length: 32 }, (_, byte) => ((byte * 37 + 11) % 256).toString(16).padStart(2, '0').toUpperCase()).join(':') })
    case 'POST /api/account/sign-in':
      return signIn(body, options)
    case 'POST /api/account/provider/sign-out':
      state.signedIn = false
      return is({ address: null })
    case 'GET /api/account/provider':
      return is({ name: PROVIDER })
    case 'GET /api/account/provider/links':
      return is({ items: state.linked ? [{ issuer: ISSUER, label: 'mei.lindgren@school.example', created_at: ago(60 * DAY), used_at: ago(DAY), current: true }] : [], name: PROVIDER, password: true })
    case 'DELETE /api/account/provider/links':
      if (body['password'] !== PASSWORD) return wrongPassword(options)
      state.linked = false
      return OK
    case 'DELETE /api/members/{id}/provider':
      state.members = members(options).map((each) => (each.id === id ? { ...each, provider: false } : each))
      return OK
    case 'POST /api/account/passkey-challenge':
      return is({ public_key: { challenge: 'AAAA', rpId: '127.0.0.1' } })
    case 'POST /api/account/provider/begin':
      return is({ address: '#provider/state=s&code=c', keep: 'k' })
    case 'POST /api/account/provider/sign-in':
      return is({ signed_in: null, second_factor: { state: 's', keep: 'k', member: 'm1', code: true, passkey: true } })
    case 'POST /api/account/provider/second-factor':
      if (body['code'] !== CODE) return problem(422, 'account.code_wrong', options, ['The code is wrong.', 'Check the time on your phone.'], ['验证码不正确。', '请检查手机的时间。'])
      state.signedIn = true
      return is({ key: 'k', ticket: 't' })
    case 'POST /api/account/password':
      return body['old'] === PASSWORD ? OK : wrongPassword(options)
    case 'GET /api/account/sessions':
      return is({ items: state.sessions.map((number) => ({ number, browser: ['Firefox', 'Chrome', ''][number - 1], address: `192.0.2.${number}`, opened_at: ago(number * 2 * DAY), seen_at: ago((number - 1) * 5_000_000), here: number === 1 })) })
    case 'DELETE /api/account/sessions/{id}':
      state.sessions = state.sessions.filter((number) => String(number) !== id)
      return is({ count: 1 })
    case 'POST /api/account/second-factor':
      if (body['code'] === undefined && body['password'] !== PASSWORD) return wrongPassword(options)
      if (body['code'] === undefined) return is({ secret: SECRET, uri: `otpauth://totp/photos.school.example:mei?secret=${SECRET}&issuer=AI%20Popup`, recovery_codes: [] })
      if (body['code'] !== CODE) return problem(422, 'account.code_wrong', options, ['The code is wrong.', 'Check the time on your phone.'], ['验证码不正确。', '请检查手机的时间。'])
      state.second = true
      return is({ secret: null, uri: null, recovery_codes: RECOVERY })
    case 'DELETE /api/account/second-factor':
      state.second = false
      return OK
    case 'GET /api/account/passkeys':
      return is({ items: state.passkeys, possible: true, password: true })
    case 'DELETE /api/account/passkeys/{id}':
      if (body['password'] !== PASSWORD) return wrongPassword(options)
      state.passkeys = state.passkeys.filter((each) => each.id !== id)
      return OK
    case 'GET /api/account/tokens':
      return is({ items: state.tokens, scopes: account(options)?.scopes.filter((scope) => !['self', 'members.manage', 'incidents.manage'].includes(scope)) ?? [] })
    case 'POST /api/account/tokens': {
      if (body['password'] !== PASSWORD) return wrongPassword(options)
      const made = { id: `t${state.tokens.length + 1}`, name: String(body['name']), scopes: body['scopes'] as string[], created_at: ago(0), expires_at: ago(-Number(body['days']) * DAY), used_at: null }
      state.tokens.push(made)
      return is({ ...made, token: 'aip_3q2-7wEBAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHw' })
    }
    case 'DELETE /api/account/tokens/{id}':
      state.tokens = state.tokens.filter((token) => token.id !== id)
      return OK
    case 'GET /api/members':
      if (options.scene === 'team_broken') return databaseAway(options)
      return is({ items: members(options) })
    case 'GET /api/members/names':
      return is({ items: members(options) })
    case 'POST /api/members': {
      const { name, display_name, role } = body as unknown as MemberOut
      if (members(options).some((each) => each.name === name)) return problem(409, 'account.name_taken', options, ['That user name is taken.', 'Choose another.'], ['该用户名已被使用。', '请换一个。'])
      const made = member(`m${members(options).length + 1}`, display_name, role, { name, state: 'invited', seen_at: null })
      members(options).push(made)
      return is(made)
    }
    case 'PATCH /api/members/{id}':
      return change(id, body, options)
    case 'DELETE /api/members/{id}':
      state.members = members(options).filter((each) => each.id !== id)
      return OK
    case 'POST /api/members/{id}/invitation':
      change(id, { invited_until: ago(-7 * DAY) }, options)
      return is({ token: 'AbCdEf', path: '/#invitation/2n6yBv0yJ3x5sQeW8cKq1tLrZ4mHdGfA9oPuYiXwNbE', expires_at: ago(-7 * DAY) })
  }
  const token = /^\/api\/invitations\/([^/]+)$/.exec(path)?.[1]
  if (token === undefined) return null
  if (token === 'used' || state.used) return problem(404, 'account.invitation_gone', options, ['This link was used already, or has expired.', 'Ask an administrator for a new one.'], ['此链接已使用过，或已过期。', '请让管理员重新发送。'])
  if (method === 'GET') return is({ name: 'priya', display_name: 'Priya Natarajan', role: 'curator', expires_at: ago(-6 * DAY), reset: token !== 'abc', second_factor: ['reset', 'both'].includes(token), passkeys: Number(['passkey', 'both'].includes(token)), joined: token !== 'abc' })
  if (token === 'passkey' && body['passkey'] === undefined) return problem(401, 'account.second_factor_required', options, ['This account asks for a second factor.', 'Show it.'], ['此账号需要两步验证。', '请出示。'])
  state.used = state.signedIn = true
  return is({ key: 'k', ticket: 't' })
}

function backupReply(method: string, path: string, options: Options): Reply | null {
  if (!path.startsWith('/api/backups')) return null
  if (options.scene === 'team_broken') return databaseAway(options)
  const answer = backupAnswer(method, path, options)
  return answer && is(answer)
}

/** Answers what is about accounts and the team, and refuses everything else to a page that is not signed in. */
export function answerTeam(request: IncomingMessage, response: ServerResponse, url: URL, options: Options): boolean {
  const answered = (made: Reply): void => {
    response.writeHead(made.status, { 'content-type': 'application/json', 'cache-control': 'no-store', 'content-language': options.language })
    response.end(made.answer === undefined ? '' : JSON.stringify(made.answer))
  }
  const open = /^\/api\/(server|account\/sign-in|account\/provider|account\/passkey-challenge|invitations\/|consent-links\/)/.test(url.pathname)
  if (options.scene === 'signed_out' && !state.signedIn && !open) {
    answered(problem(401, 'account.sign_in_required', options, ['This page is not signed in.', 'Sign in.'], ['此页面尚未登录。', '请登录。']))
    return true
  }
  if (!/^\/api\/((server|account|invitations|members|record|workers|queue|consents|desks|alerts|backups|incidents|consent-links)\b|people\/\d+\/consent(s|-link))/.test(url.pathname)) return false
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const text = Buffer.concat(parts).toString()
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
    const [method, path, query] = [request.method ?? 'GET', url.pathname, url.searchParams]
    answered(
      backupReply(method, path, options) ??
        alertReply(path, options) ??
        incidentReply(method, path, query, body, options) ??
        recordReply(method, path, query, options) ??
        linkReply(method, path, options) ??
        consentReply(method, path, body, options) ??
        workerReply(method, path, options) ??
        reply(method, path, body, options) ?? { status: 404, answer: { code: 'api.not_found', cause: '', remedy: '' } },
    )
  })
  return true
}
