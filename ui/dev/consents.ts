/** The made-up team's consents: those of its people, and the link by which a person sees and withdraws their own. */

import type { Purpose } from '../src/api/teamApi.ts'
import type { ConsentGiven, ConsentOut, EndingConsent } from '../src/api/types.ts'
import type { Options } from './fixtures.ts'
import { ago, DAY, day, is, OK, problem, type Reply } from './replies.ts'

const consent = (id: number, purpose: Purpose, over: Partial<ConsentOut> = {}): ConsentOut => ({
  id,
  purpose,
  state: 'given',
  basis: 'own_consent',
  given_on: day(-90),
  valid_until: null,
  guardian: '',
  document: '',
  entered_by: 'm2',
  entered_at: ago(20 * DAY),
  valid: over.state !== 'withdrawn',
  ...over,
})

interface State {
  consents: ConsentOut[]
  linkUntil: string | null
}
const fresh = (): State => ({
  linkUntil: null,
  consents: [
    consent(3, 'publish', { state: 'withdrawn', given_on: day(-20) }),
    consent(2, 'show_inside', { given_on: day(-400), valid_until: day(-35), valid: false }),
    consent(1, 'recognise', { given_on: day(-90), valid_until: day(12), guardian: 'Fang Lindgren', basis: 'guardian', document: 'Folder 2026, page 14' }),
  ],
})
let state = fresh()

export function resetConsents(): void {
  state = fresh()
}

export function consentReply(method: string, path: string, body: Record<string, unknown>, { scene }: Options): Reply | null {
  if (path === '/api/consents') {
    const soon = scene === 'team_empty' ? [] : [1, 4, 5].map((person, index): EndingConsent => ({ ...consent(index + 10, index === 1 ? 'publish' : 'recognise', { valid_until: day(index * 9 + 3) }), person_id: person, person: ['Mei', 'Li Wei', 'Lin Yue'][index] ?? '' }))
    return is({ items: soon })
  }
  const [, person, purpose] = /^\/api\/people\/(\d+)\/consents(?:\/(\w+)\/withdraw)?$/.exec(path) ?? []
  if (person === undefined) return null
  const next = (): number => Math.max(0, ...state.consents.map(({ id }) => id)) + 1
  if (purpose !== undefined) {
    state.consents = [consent(next(), purpose as Purpose, { state: 'withdrawn', given_on: day(0) }), ...state.consents.map((each) => (each.purpose === purpose ? { ...each, valid: false } : each))]
    return is({ at: ago(0), purpose, embeddings: purpose === 'recognise' ? 41 : 0, chips: purpose === 'recognise' ? 41 : 0, backups_pending: purpose === 'recognise' })
  }
  if (method === 'PUT') {
    const { purposes, refused, given_on, valid_until, guardian, document, basis } = body as unknown as ConsentGiven
    for (const each of purposes) state.consents.unshift(consent(next(), each, { given_on: given_on ?? day(0), valid_until: valid_until ?? null, guardian, document, basis }))
    for (const each of refused) state.consents.unshift(consent(next(), each, { state: 'withdrawn', given_on: given_on ?? day(0) }))
  }
  const agreed = [...new Set(state.consents.map((each) => each.purpose))].filter((each) => state.consents.find((entry) => entry.purpose === each)?.valid)
  return is({ person_id: Number(person), name: 'Mei', required: true, recognised: agreed.includes('recognise'), agreed, entries: state.consents })
}

/** A person's link: made and ended by members, used without an account. */
export function linkReply(method: string, path: string, options: Options): Reply | null {
  if (/^\/api\/people\/\d+\/consent-link$/.test(path)) {
    if (method !== 'GET') state.linkUntil = method === 'POST' ? ago(-30 * DAY) : null
    if (method === 'DELETE') return OK
    return is({ expires_at: state.linkUntil, path: '/#my-consent/2n6yBv0yJ3x5sQeW8cKq1tLrZ4mHdGfA9oPuYiXwNbE' })
  }
  const [, token, purpose] = /^\/api\/consent-links\/([^/]+)(?:\/(\w+)\/withdraw)?$/.exec(path) ?? []
  if (token === undefined) return null
  if (token === 'used') return problem(404, 'people.consent_link_gone', options, ['This link was ended, was replaced by a newer one, or has expired.', 'Ask the team that gave it to you for a new link.'], ['此链接已被停用、已被新链接取代，或已过期。', '请向给你链接的团队索取新链接。'])
  if (purpose !== undefined) {
    state.consents = [consent(99, purpose as Purpose, { state: 'withdrawn', given_on: day(0) }), ...state.consents.map((each) => (each.purpose === purpose ? { ...each, valid: false } : each))]
    return is({ at: ago(0), purpose, embeddings: 41, chips: 41, backups_pending: true })
  }
  const recognised = state.consents.some((each) => each.purpose === 'recognise' && each.valid)
  const consents = [...new Set(state.consents.map((each) => each.purpose))].map((each) => state.consents.find((entry) => entry.purpose === each))
  const withdrawn = state.consents.find((each) => each.purpose === 'recognise')?.state === 'withdrawn' && !state.consents.some(({ valid }) => valid)
  if (withdrawn || token === 'withdrawn') return is({ name: '', photos: 38, suggested: 0, face_prints: 0, pictures: 0, references: 0, required: true, recognised: false, consents: [], expires_at: ago(-30 * DAY), withdrawn_on: day(withdrawn ? 0 : -7) })
  return is({ name: options.language === 'en' ? 'Mei' : '梅', photos: 38, suggested: 3, face_prints: recognised ? 41 : 0, pictures: recognised ? 41 : 0, references: recognised ? 2 : 0, required: true, recognised, consents, expires_at: ago(-30 * DAY), withdrawn_on: null })
}
