/** What was said of the made-up agent's people: edits of faces and people, which can be undone and redone; kept until a page is opened with another scene. */

import type { Edit } from '../src/api/peopleApi.ts'
import type { FaceOut, FaceRef, PersonDetail, PersonOut, Step } from '../src/api/types.ts'
import { is, refuse, type Reply } from './replies.ts'

/** Numbers of made-up faces, apart from those on photos: of groups, of doubts, of people. */
export const [GROUP, DOUBT, PERSON] = [1_000_000, 2_000_000, 3_000_000]
export const EACH = 10_000
/** faces on a group's card */
export const SHOWN = 4

/** Edits of a face: its person (null for none), and whether it is ignored or confirmed. */
interface Said {
  readonly person: number | null
  readonly certainty?: FaceOut['certainty']
  readonly ignored?: boolean
}

export type Noted = Partial<Omit<PersonDetail, 'id'>>

interface State {
  readonly faces: ReadonlyMap<number, Said>
  readonly people: ReadonlyMap<number, Noted>
  /** merged into another, or forgotten (0) */
  readonly gone: ReadonlyMap<number, number>
  /** doubts that were answered */
  readonly answered: ReadonlySet<number>
  /** of a team's people, by person */
  readonly references: ReadonlyMap<number, readonly FaceRef[]>
}

const FRESH: State = { faces: new Map(), people: new Map(), gone: new Map(), answered: new Set(), references: new Map() }
/** What was said so far; `amend` and `put` change it. */
export let state = FRESH
let done: { readonly step: Step; readonly token: string; readonly before: State; readonly after: State }[] = []
let undone: typeof done = []

export function resetEdits(): void {
  state = FRESH
  done = []
  undone = []
}

/** Whether anything was said. */
export const isFresh = (): boolean => state === FRESH

/** Changes what was said without a step that can be undone. */
export function amend(change: Partial<State>): void {
  state = { ...state, ...change }
}

/** Changes what was said, as a step that can be undone; returns the step's token. */
export function put(step: Step, change: Partial<State>): string {
  const token = `step-${done.length}-${Date.now()}`
  const after = { ...state, ...change }
  done.push({ step, token, before: state, after })
  undone = []
  state = after
  return token
}

export const stepCount = (): number => done.length

/** The next steps to undo and to redo. */
export const steps = (): { undo: Step | null; redo: Step | null } => ({ undo: done.at(-1)?.step ?? null, redo: undone.at(-1)?.step ?? null })

export function edit(said: Edit, people: readonly PersonOut[]): Reply {
  const faces = new Map(state.faces)
  const answered = new Set(state.answered)
  const noted = new Map(state.people)
  const gone = new Map(state.gone)
  const ids = 'face_ids' in said ? said.face_ids : []
  const answers = ids.filter((id) => id >= DOUBT && id < PERSON)
  answers.forEach((id) => answered.add(id))
  const change = { faces, people: noted, gone, answered }
  const step = (action: Step['action'], count: number, person_id: number | null): Reply => is({ undo: put({ action, count, partly: false }, change), count, person_id })
  switch (said.kind) {
    case 'name': {
      const known = people.find((person) => person.id === said.person_id || person.name.toLowerCase() === said.name?.toLowerCase())
      const id = known?.id ?? 5_000 + state.people.size
      if (!known) noted.set(id, { name: said.name ?? '' })
      // A group that is named on its card: what was not looked at is suggested.
      const [first = 0] = ids
      const others = first >= GROUP && first < DOUBT && ids.length <= SHOWN ? Array.from({ length: 300 }, (_, index) => first - (first % EACH) + index) : []
      others.filter((face) => !faces.has(face)).forEach((face) => faces.set(face, { person: id, certainty: 'certain' }))
      ids.forEach((face) => faces.set(face, { person: id, certainty: 'confirmed' }))
      return step('name', ids.length, id)
    }
    case 'reject':
    case 'unname':
      ids.forEach((face) => faces.set(face, { person: null }))
      return step(said.kind, ids.length, null)
    case 'ignore':
      ids.forEach((face) => faces.set(face, { person: null, ignored: true }))
      return step('ignore', ids.length, null)
    case 'unignore':
      ids.forEach((face) => faces.set(face, { person: null, ignored: false }))
      return step('unignore', ids.length, null)
    case 'merge': {
      const count = people.filter(({ id }) => said.person_ids.includes(id)).reduce((sum, person) => sum + person.faces, 0)
      said.person_ids.forEach((id) => gone.set(id, said.into))
      return step('merge', count, said.into)
    }
    case 'describe': {
      const { kind: _, person_id, clear = [], cover_face_id: _face, watch, ...what } = said
      const taken = people.some(({ id, name }) => id !== person_id && name.toLowerCase() === what.name?.toLowerCase())
      if (taken) return refuse(409, 'people.name_taken', 'Somebody has that name already.')
      const given = Object.fromEntries(Object.entries(what).filter(([, value]) => value !== null && value !== undefined))
      const cleared = Object.fromEntries(clear.map((part) => [part, null]))
      noted.set(person_id, { ...noted.get(person_id), ...given, ...cleared, ...(watch == null ? {} : { watch_at: watch ? new Date().toISOString() : null }), ...(what.basis == null ? {} : { basis_at: new Date().toISOString() }) } as Noted)
      return step('describe', 1, person_id)
    }
    // A body that wasn't sent as JSON reads as none.
    default:
      return refuse(422, 'api.bad_request', 'This is no edit.')
  }
}

export function undo(token: string | null): Reply {
  const place = token === null ? done.length - 1 : done.findIndex((one) => one.token === token)
  const one = done[place]
  if (one === undefined) return refuse(404, 'api.not_found', 'There is nothing to take back.')
  state = one.before
  done = done.slice(0, place)
  undone.push(one)
  return is(one.step)
}

export function redo(): Reply {
  const one = undone.pop()
  if (one === undefined) return refuse(404, 'api.not_found', 'There is nothing to do again.')
  state = one.after
  done.push(one)
  return is(one.step)
}
