/** What watches over the made-up team: its record, the incidents that stand out in it, and the server's alerts. */

import type { IncidentOut, RecordEntry } from '../src/api/types.ts'
import type { Options } from './fixtures.ts'
import { ago, DAY, is, type Reply } from './replies.ts'

const incident = (id: number, kind: IncidentOut['kind'], over: Partial<IncidentOut> = {}): IncidentOut => ({
  id,
  kind,
  severity: 'warning',
  at: ago(id * 3_600_000),
  subject: 'm2',
  number: 24,
  state: 'open',
  seen_at: null,
  seen_by: null,
  closed_at: null,
  closed_by: null,
  reason: null,
  step: 'lock',
  acted_at: null,
  acted_by: null,
  undone_at: null,
  page: kind.replaceAll('_', '-'),
  ...over,
})

const made = (): IncidentOut[] => [
  incident(7, 'mass_export', { at: ago(900_000), severity: 'critical', number: 412 }),
  incident(6, 'record_broken', { severity: 'critical', subject: null, step: null, number: 117 }),
  incident(5, 'two_networks', { number: 4, step: 'revoke_token' }),
  incident(4, 'failed_sign_ins', { number: 26, subject: null, step: null, state: 'seen', seen_at: ago(3_600_000), seen_by: 'm1' }),
  incident(3, 'raised_role', { severity: 'notice', subject: 'm3', number: 1, state: 'seen', seen_at: ago(3_600_000), seen_by: 'm1', acted_at: ago(3_500_000), acted_by: 'm1' }),
  incident(2, 'withdrawn_after_publishing', { subject: 'c0ffee12ab', step: null, number: 42 }),
  incident(1, 'night_search', { step: 'end_sessions', state: 'closed', closed_at: ago(DAY), closed_by: 'm1', reason: 'expected', seen_at: ago(DAY), seen_by: 'm1' }),
]

let incidents = made()

export function resetIncidents(): void {
  incidents = made()
}

const DONE = ['member_added', 'named', 'merged', 'role_changed', 'forgotten', 'exported', 'faces_uncovered', 'sign_in_failed']

function entries(actor: string | null, action: string | null, library: string | null): RecordEntry[] {
  return Array.from({ length: 230 }, (_, index): RecordEntry => {
    const what = DONE[index % DONE.length] ?? 'named'
    return { id: 230 - index, at: ago(index * 47 * 60_000), actor: index % 5 === 4 ? '' : `m${(index % 3) + 1}`, action: what, subject: index % 2 ? 'c0ffee12ab' : null, number: (index % 7) + 1, detail: '', libraries: index % 4 ? [(index % 2) + 1] : [] }
  }).filter((entry) => (actor === null || entry.actor === actor) && (action === null || entry.action === action) && (library === null || entry.libraries.includes(Number(library))))
}

/** The record's entries, page by page, and whether its chain holds. */
export function recordReply(method: string, path: string, query: URLSearchParams, { scene }: Options): Reply | null {
  if (path === '/api/record/verify') return is({ entries: 230, broken_at: scene === 'team_broken' ? 117 : null })
  if (method !== 'GET' || path !== '/api/record') return null
  const all = scene === 'team_empty' ? [] : entries(query.get('actor'), query.get('action'), scene === 'team_library_auditor' ? '1' : query.get('library'))
  const before = Number(query.get('before') ?? Infinity)
  const items = all.filter(({ id }) => id < before)
  const limit = Number(query.get('limit') ?? 100)
  return is({ items: items.slice(0, limit), before: items.length > limit ? items[limit - 1]?.id : null })
}

export function alertReply(path: string, { scene }: Options): Reply | null {
  const alert = (id: number, name: string, over: Record<string, unknown> = {}): Record<string, unknown> => ({ id, source: 'server', name, severity: 'warning', number: 7, began_at: ago(900_000), ended_at: null, ...over })
  const empty = scene === 'team_empty'
  const silence = { id: 1, name: 'disk-low', reason: 'being_fixed', until: ago(-DAY), made_at: ago(600_000), made_by: 'm1' }
  const names = ['disk-low', 'workers-missing', 'certificate-expiring', 'database-unreachable']
  const firing = empty ? [] : [alert(9, 'workers-missing', { severity: 'critical', number: 2 }), alert(8, 'disk-low'), alert(7, 'error-budget-burns', { source: 'prometheus', severity: 'critical' })]
  if (path === '/api/alerts') return is({ firing, silences: empty ? [] : [silence], names, ways: empty ? [] : ['email', 'ntfy'], looked_at: ago(5_000) })
  if (path === '/api/alerts/count') return is({ firing: empty ? 0 : 2 })
  if (path === '/api/alerts/history') return is({ items: empty ? [] : [alert(5, 'database-unreachable', { severity: 'critical', number: 42, began_at: ago(DAY), ended_at: ago(DAY - 42_000) }), alert(4, 'certificate-expiring', { number: 13, began_at: ago(9 * DAY), ended_at: ago(8 * DAY) })], before: null })
  if (path === '/api/alerts/test-message') return is({ ways: ['email', 'ntfy'] })
  if (path.endsWith('/messages')) return is({ items: [{ way: 'email', event: 'firing', attempts: 1, due_at: null, sent_at: ago(890_000), error_code: null }, { way: 'ntfy', event: 'firing', attempts: 3, due_at: ago(-60_000), sent_at: null, error_code: 'message.ntfy_failed' }] })
  if (path.startsWith('/api/alerts/silences')) return is({ ...silence, id: 2 })
  return null
}

export function incidentReply(method: string, path: string, query: URLSearchParams, body: Record<string, unknown>, { scene }: Options): Reply | null {
  const all = scene === 'team_empty' ? [] : incidents
  if (path === '/api/incidents') return is({ items: all.filter((each) => each.state !== 'closed' || query.get('closed') === 'true'), before: null })
  if (path === '/api/incidents/count') return is({ open: all.filter((each) => each.state === 'open').length })
  if (path === '/api/incidents/test-message') return is({ ways: ['email', 'webhook'] })
  const [, id, action] = /^\/api\/incidents\/(\d+)(?:\/(\w+))?$/.exec(path) ?? []
  const found = all.find((each) => String(each.id) === id)
  if (found === undefined) return null
  if (action === undefined) {
    const evidence = entries(null, null, null).slice(0, 3)
    return is({ incident: found, evidence, messages: [{ way: 'email', attempts: 1, due_at: null, sent_at: ago(3_000), error_code: null }, { way: 'webhook', attempts: 3, due_at: ago(-60_000), sent_at: null, error_code: 'message.webhook_failed' }] })
  }
  const now = ago(0)
  const by = 'm1'
  const seen = { state: 'seen', seen_at: found.seen_at ?? now, seen_by: found.seen_by ?? by } as const
  const changes: Readonly<Record<string, Partial<IncidentOut>>> = {
    'POST see': seen,
    'POST step': { ...seen, acted_at: now, acted_by: by, undone_at: null },
    'DELETE step': { undone_at: now },
    'POST close': { state: 'closed', closed_at: now, closed_by: by, reason: body['reason'] as IncidentOut['reason'] },
    'POST reopen': { state: 'seen', closed_at: null, closed_by: null, reason: null },
  }
  const changed = { ...found, ...changes[`${method} ${action}`] }
  incidents = incidents.map((each) => (each.id === found.id ? changed : each))
  return is(changed)
}
