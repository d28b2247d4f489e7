/** The made-up agent's people: named and unnamed faces, doubts, reference photos, and what a search by a face finds. */

import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Edit } from '../src/api/peopleApi.ts'
import type { Doubt, FaceOut, FaceRef, FaceSearchOut, ImageOut, NameConflict, PersonDetail, PersonFace, PersonOut, Problem, Step } from '../src/api/types.ts'
import { amend, DOUBT, EACH, edit, GROUP, isFresh, PERSON, put, redo, SHOWN, state, stepCount, steps, undo, type Noted } from './edits.ts'
import type { Options, World } from './fixtures.ts'
import { DAY, is, refuse, type Reply } from './replies.ts'

const watchers = new Set<() => void>()

/** Calls back after every edit, until the returned function is called. */
export function onPeople(changed: () => void): () => void {
  watchers.add(changed)
  return () => void watchers.delete(changed)
}

// -- what there is ---------------------------------------------------------------------------------------------------------------

const SIZES = [41, 28, 17, 12, 9, 8, 6, 5, 4, 3, 2, 1]
const DOUBTS = 12
const MANY = 3_000
/** Numbers of made-up faces whose names conflict, apart from those of `edits.ts`. */
const CONFLICT = 9_000_000
/** made of the faces of two people */
const MIXED = 4

interface Spot {
  readonly image: ImageOut
  readonly face: FaceOut
}

const spots = ({ images }: World): readonly Spot[] => images.flatMap((image) => image.faces.map((face) => ({ image, face })))

function refOf(id: number, { image, face }: Spot, ago: number): FaceRef {
  const taken_at = new Date(Date.now() - ago * DAY).toISOString().slice(0, 19)
  return { id, image_id: image.id, width: image.width, height: image.height, box: face.box, taken_at }
}

function pick(found: readonly Spot[], place: number): Spot {
  return found[place % found.length] as Spot
}

export function peopleOf(world: World, { scene }: Options): readonly PersonOut[] {
  if (scene === 'nobody') return named(world)
  const more = scene !== 'many' ? [] : Array.from({ length: MANY - world.people.length }, (_, index) => ({ id: 100 + index, name: `Guest ${String(index + 1).padStart(4, '0')}`, faces: 3, photos: 3, suggested: 0, references: 0, portrait: null, hidden: false, never: false, overdue: false }))
  return [...[...world.people, ...more].map((person) => ({ ...person, ...outOf(person.id), references: state.references.get(person.id)?.length ?? person.references })), ...named(world)].filter(({ id }) => !state.gone.has(id)).map((person) => ({ ...person, faces: person.faces + moved(person.id), photos: person.photos + moved(person.id), suggested: person.suggested + guessed(person.id) }))
}

function outOf(id: number): Partial<PersonOut> {
  const { name, hidden, never } = state.people.get(id) ?? {}
  return { ...(name === undefined ? {} : { name }), ...(hidden === undefined ? {} : { hidden }), ...(never === undefined ? {} : { never }) }
}

/** Those who were named since. */
function named(world: World): readonly PersonOut[] {
  const known = new Set(world.people.map(({ id }) => id))
  return [...state.people].filter(([id, noted]) => !known.has(id) && id >= 5_000 && noted.name !== undefined).map(([id, noted]) => ({ id, name: noted.name ?? '', faces: 0, photos: 0, suggested: 0, references: 0, portrait: noted.portrait ?? null, hidden: noted.hidden ?? false, never: noted.never ?? false, overdue: false }))
}

const guessed = (person: number): number => [...state.faces.values()].filter((said) => said.person === person && said.certainty === 'certain').length
const moved = (person: number): number => [...state.faces.values()].filter((said) => said.person === person).length

/** The photos with what was said of their faces since. */
export function saidOf(image: ImageOut, people: readonly PersonOut[]): ImageOut {
  if (isFresh()) return image
  const faces = image.faces.map((face): FaceOut => {
    const said = state.faces.get(face.id)
    const id = said === undefined ? face.person_id : said.person
    const person = people.find((known) => known.id === (state.gone.get(id ?? 0) ?? id))
    const certainty = person ? (said?.certainty ?? face.certainty ?? 'confirmed') : null
    return { ...face, person_id: person?.id ?? null, person: person?.name ?? null, certainty, ignored: said?.ignored ?? face.ignored }
  })
  return { ...image, faces }
}

function groupsOf(world: World, { scene }: Options): { readonly id: number; readonly faces: readonly FaceRef[] }[] {
  const strangers = spots(world).filter(({ face }) => face.person === null)
  if (strangers.length === 0 || scene === 'settled') return []
  const sizes = scene === 'many' ? Array.from({ length: 300 }, (_, index) => Math.max(1, 300 - index)) : SIZES
  return sizes
    .map((size, group) => ({
      id: group + 1,
      faces: Array.from({ length: size }, (_, index) => refOf(GROUP + group * EACH + index, pick(strangers, group * 3 + index * 7), index)).filter(({ id }) => !state.faces.has(id)),
    }))
    .filter(({ faces }) => faces.length > 0)
    .sort((a, b) => b.faces.length - a.faces.length)
}

function doubtsOf(world: World, people: readonly PersonOut[], { scene }: Options): readonly Doubt[] {
  if (scene === 'settled' || scene === 'nobody' || !world.status.recognition) return []
  const all = spots(world)
  return Array.from({ length: DOUBTS }, (_, index) => index).flatMap((index): Doubt[] => {
    const person = people[[0, 0, 2, 11, 0, 3, 1, 5][index % 8] ?? 0]
    const theirs = all.filter(({ face }) => face.person_id === person?.id)
    if (!person || theirs.length === 0 || state.answered.has(DOUBT + index)) return []
    const shown = Array.from({ length: 3 }, (_, place) => ({ ...refOf(DOUBT + 500 + index * 5 + place, pick(theirs, place), 30 * place), agrees: place < 2 }))
    return [{ face: refOf(DOUBT + index, pick(theirs, index + 3), index), person_id: person.id, person: person.name, agree: 2, references: 3, shown }]
  })
}

/** What another program calls faces of the first people. */
function conflictsOf(world: World, people: readonly PersonOut[], { scene, language }: Options): readonly NameConflict[] {
  if (scene !== 'conflicts') return []
  const theirs = language === 'en' ? ['May Lin', 'Grandfather', 'Aunt F.'] : ['梅梅', '外公', '小方']
  return theirs.flatMap((name, index): NameConflict[] => {
    const person = people[index]
    const spot = spots(world).find(({ face }) => face.person_id === person?.id)
    const id = CONFLICT + index
    return person && spot && !state.faces.has(id) ? [{ face: refOf(id, spot, index), person_id: person.id, ours: person.name, theirs: name }] : []
  })
}

export function doubtCount(world: World, options: Options): number {
  return doubtsOf(world, peopleOf(world, options), options).length
}

/** What a search by a face of the library finds: its person's others, else all without a name. */
function searchedBy(id: number, world: World, { scene }: Options): Reply {
  const all = spots(world)
  const own = all.find(({ face }) => face.id === id)
  if (own === undefined) return refuse(404, 'people.no_such_face', 'There is no such face any more.')
  if (scene === 'unread') return refuse(422, 'people.face_without_print', 'This face has no face print, so nothing can be compared with it.')
  const others = scene === 'nobody' ? [] : all.filter(({ face }) => face.id !== id && face.person_id === own.face.person_id)
  const found = others.map((spot, place) => ({ ...refOf(spot.face.id, spot, place), certainty: place < 4 ? ('certain' as const) : ('probable' as const) }))
  return is({ width: own.image.width, height: own.image.height, faces: [{ box: own.face.box, person_id: own.face.person_id, certainty: own.face.certainty, found, image_id: own.image.id }] } satisfies FaceSearchOut)
}

/** What a search by a face finds, whatever photo comes in: the scene says how many faces are on it. */
export function searched(world: World, { scene }: Options): [answer: FaceSearchOut | Problem, status: number] {
  if (scene === 'unread') return [{ code: 'image.corrupt', cause: 'The file is no photo that can be read.', remedy: 'Choose another one.', params: {} }, 422]
  const all = spots(world)
  const like = (person: number | null): Found => all.filter(({ face }) => face.person_id === person).map((spot) => ({ ...refOf(spot.face.id, spot, 0), certainty: 'certain' }))
  const face = (left: number, person: number | null, found: Found): FaceSearchOut['faces'][number] => ({ box: [left, 60, 120, 140], person_id: person, certainty: person === null ? null : 'certain', found, image_id: null })
  const one = face(80, 1, like(1))
  const faces = { noface: [], settled: [one], nobody: [face(80, null, [])] }[scene] ?? [one, face(300, null, like(null).slice(0, 3)), face(500, null, [])]
  return [{ width: 800, height: 600, faces }, 200]
}

function facesOf(id: number, world: World, person: PersonOut): readonly PersonFace[] {
  const all = spots(world)
  const theirs = all.filter(({ face }) => face.person_id === id)
  const own = theirs.length > 0 ? theirs : all
  const count = world.status.images > 1_000 ? 3_000 : person.faces
  const made = Array.from({ length: count }, (_, index): PersonFace => ({ face: refOf(PERSON + id * EACH + index, pick(own, index), index * 11), certainty: index % 9 === 4 ? 'probable' : index % 2 === 0 ? 'confirmed' : 'certain' }))
  return made.flatMap((one) => {
    const said = state.faces.get(one.face.id)
    if (said === undefined) return [one]
    return said.person === id ? [{ ...one, certainty: said.certainty ?? 'confirmed' }] : []
  })
}

function detailOf(id: number, world: World, people: readonly PersonOut[]): PersonDetail | null {
  const person = people.find((known) => known.id === id)
  if (!person) return null
  const at = new Date(Date.now() - 90 * DAY).toISOString()
  const noted: Noted = { birth_date: null, notes: '', hidden: false, never: false, basis: null, basis_at: null, retention_days: null, watch_at: null, ...state.people.get(id) }
  const { birth_date = null, notes = '', hidden = false, never = false, basis = null, basis_at = null, retention_days = null, watch_at = null } = noted
  const faces = facesOf(id, world, person)
  const expires_at = new Date(Date.now() + (retention_days ?? 1_095) * DAY).toISOString()
  return { id, name: person.name, faces: faces.length, photos: faces.length, suggested: person.suggested, references: referencesOf(person, world).length, portrait: noted.portrait ?? person.portrait, birth_date, notes, hidden, never, basis, basis_at, named_at: at, confirmed_at: at, retention_days, expires_at, watch_at }
}

// -- what is said ----------------------------------------------------------------------------------------------------------------

type Found = FaceSearchOut['faces'][number]['found']
async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return parts.length > 0 && request.headers['content-type']?.includes('json') ? (JSON.parse(Buffer.concat(parts).toString('utf8')) as Record<string, unknown>) : {}
}

/** True if the call was about people. */
export function answerPeople(request: IncomingMessage, response: ServerResponse, url: URL, world: World, options: Options): boolean {
  if (!/^\/api\/(people|groups|doubts|undo|redo|steps|faces)(\/|$)/.test(url.pathname)) return false
  void bodyOf(request).then((body) => {
    const sharp = request.headers['content-type'] !== 'image/png'
    const { status, answer } = referencesReply(request.method ?? '', url.pathname, sharp, world, options) ?? reply(request.method ?? '', url, body, world, options)
    const file = url.pathname.endsWith('/export')
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...(file ? { 'content-disposition': 'attachment; filename="person.json"' } : {}) })
    response.end(JSON.stringify(answer))
    if (request.method !== 'GET' && status === 200) watchers.forEach((changed) => changed())
  })
  return true
}

const REFERENCE = 8_000_000

function referencesOf(person: PersonOut, world: World): readonly FaceRef[] {
  return state.references.get(person.id) ?? Array.from({ length: person.references }, (_, index) => refOf(REFERENCE + person.id * EACH + index, pick(spots(world), person.id + index), 12 * index))
}

/** Reference photos of a team's person: one is refused unless it is `sharp`. */
function referencesReply(method: string, pathname: string, sharp: boolean, world: World, options: Options): Reply | null {
  const [, id, face] = /^\/api\/people\/(\d+)\/references(?:\/(\d+))?$/.exec(pathname) ?? []
  const person = peopleOf(world, options).find((known) => known.id === Number(id))
  if (id === undefined || person === undefined) return null
  const [held, zh] = [referencesOf(person, world), options.language === 'zh-CN']
  const change = (after: readonly FaceRef[], action: Step['action']): string => put({ action, count: 1, partly: false }, { references: new Map(state.references).set(person.id, after) })
  if (method === 'DELETE') return is({ undo: change(held.filter((each) => each.id !== Number(face)), 'reference_removed'), count: 1, person_id: person.id })
  if (method === 'POST' && !sharp)
    return { status: 422, answer: { code: 'people.reference_several', cause: zh ? '照片中有 3 张人脸，无法确定用哪一张。' : 'There are 3 faces in this photo: it isn’t clear which one to use.', remedy: zh ? '请换一张单人照，或者裁剪这张照片。' : 'Choose a photo of one person, or crop this one.', params: {} } }
  if (method === 'POST') return is({ added: true, resembles: null, undo: change([refOf(REFERENCE + stepCount(), pick(spots(world), stepCount() + 3), 0), ...held], 'reference_added') })
  const refusal = person.never ? { code: 'people.reference_without_consent', cause: zh ? '此人没有同意被识别，同意已经失效，或已设为永不识别。' : 'This person has not agreed to be recognised, no longer agrees, or is never to be recognised.', remedy: zh ? '请先登记识别方面的同意，如已打开“永不识别”则先关闭，再添加照片。' : 'Enter their consent to recognition, or switch “Never recognise” off if it is on, then add the photo.', params: {} } : null
  return is({ items: held, libraries: options.scene === 'team' ? [zh ? '2026 学年' : 'School year 2026', zh ? '档案' : 'Archive'] : [], refusal })
}

function reply(method: string, { pathname, searchParams }: URL, body: Record<string, unknown>, world: World, options: Options): Reply {
  const people = peopleOf(world, options)
  const [limit, offset] = [Number(searchParams.get('limit') ?? 100), Number(searchParams.get('offset') ?? 0)]
  const [, id = '', what = ''] = /^\/api\/(?:people|groups)\/(\d+)(?:\/(\w+))?$/.exec(pathname) ?? []
  const groups = (): ReturnType<typeof groupsOf> => groupsOf(world, options)
  if (options.scene === 'unread' && pathname === '/api/groups') return refuse(500, 'store.unavailable', 'The library can’t be read right now.')
  const face = /^\/api\/faces\/(\d+)\/search$/.exec(pathname)?.[1]
  if (face !== undefined) return searchedBy(Number(face), world, options)
  if (method === 'GET' && pathname === '/api/people') return is(people)
  if (pathname === '/api/people/edits') return edit(body as unknown as Edit, people)
  if (pathname === '/api/people/conflicts') {
    if (method === 'GET') return is(conflictsOf(world, people, options))
    const faces = new Map(state.faces)
    for (const face of body['face_ids'] as number[]) if (body['kept'] === false) faces.delete(face)
    else faces.set(face, { person: null })
    amend({ faces })
    return is(null)
  }
  if (pathname === '/api/undo') return undo((body['undo'] as string | null | undefined) ?? null)
  if (pathname === '/api/redo') return redo()
  if (pathname === '/api/steps') return is(steps())
  if (pathname === '/api/doubts') {
    const person = searchParams.get('person_id')
    const doubts = doubtsOf(world, people, options).filter(({ person_id }) => person === null || person_id === Number(person))
    return is({ items: doubts.slice(0, limit), total: doubts.length })
  }
  if (pathname === '/api/groups') {
    const all = groups()
    return is({ items: all.slice(offset, offset + limit).map((group) => ({ id: group.id, size: group.faces.length, faces: group.faces.slice(0, SHOWN), doubtful: group.id === MIXED })), total: all.length })
  }
  const group = pathname.startsWith('/api/groups/') ? groups().find((one) => one.id === Number(id)) : undefined
  if (group) return is({ items: group.faces, doubtful: group.id === MIXED })
  const detail = pathname.startsWith('/api/people/') ? detailOf(Number(id), world, people) : null
  if (detail === null) return refuse(404, 'people.no_such_person', 'There is no such person.')
  if (what === 'faces') {
    const faces = facesOf(Number(id), world, people.find((person) => person.id === Number(id)) as PersonOut)
    return is({ items: faces.slice(offset, offset + limit), total: faces.length })
  }
  if (what !== 'forget') return is(detail)
  amend({ gone: new Map(state.gone).set(Number(id), 0) })
  return is({ faces: detail.faces, embeddings: detail.faces, chips: detail.faces, undo: stepCount() })
}
