/** The made-up agent's covered copies: three batches over its photos, which can be edited, accepted, stopped and added to. */

import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Wanted } from '../src/api/redactionApi.ts'
import type { Doubtful, ImageOut, MarkIo, RedactedOut, RedactionBatchOut, RedactionDetail, Style } from '../src/api/types.ts'
import { picture, type Options, type World } from './fixtures.ts'

interface Copy {
  readonly id: number
  readonly image: ImageOut
  state: string
  marks: readonly MarkIo[]
  doubts: readonly Doubtful[]
  edited: boolean
  readonly editable: boolean
  made: number
  /** frames, of what moves */
  frames: number
}

interface Batch {
  readonly uid: string
  readonly at: string
  readonly folder: string | null
  readonly copies: Copy[]
}

const STEP = 1.1 * Math.SQRT2
const DOUBTS: readonly (readonly Doubtful[])[] = [['small', 'turned'], ['no_face'], ['low_score'], ['unsure']]
let batches: Batch[] | null = null
let count = 0

export function resetCovers(): void {
  batches = null
  count = 0
}

function marksOf(image: ImageOut, style: Style, doubts: readonly Doubtful[]): MarkIo[] {
  return image.faces.map(({ box: [x, y, w, h] }, index) => {
    const [wide, high] = [w * STEP, h * STEP]
    const box: MarkIo['box'] = [x + (w - wide) / 2, y + (h - high) / 2, wide, high]
    return { box, tilt: 0, style, shape: 'ellipse', reason: 'face', covered: true, score: 0.9, doubts: index === image.faces.length - 1 ? doubts.filter((doubt) => doubt !== 'no_face') : [], visible: [] }
  })
}

function copy(image: ImageOut, state: string, style: Style, place: number, editable = true): Copy {
  const doubts: readonly Doubtful[] = image.faces.length === 0 ? ['no_face'] : state === 'needs_review' ? (DOUBTS[place % DOUBTS.length] ?? []).map((doubt) => (doubt === 'no_face' ? 'small' : doubt)) : []
  return { id: ++count, image, state, marks: marksOf(image, style, doubts), doubts, edited: false, editable, made: 0, frames: 0 }
}

/** An animation: the first face goes to the right and is gone after half of it, the others stay, and show for a while. */
function move(each: Copy | undefined): void {
  if (!each) return
  each.frames = 12
  each.marks = each.marks.map((mark, place) => {
    const [x, y, w, h] = mark.box
    return place === 0 ? { ...mark, way: [[0, x, y, w, h], [5, x + w / 4, y, w, h]] as const } : { ...mark, way: [[0, x, y, w, h], [11, x, y, w, h]] as const, visible: [[3, 5]] as const }
  })
}

function all({ images, status }: World, { scene }: Options): Batch[] {
  if (batches) return batches
  if (['empty', 'first'].includes(scene)) return (batches = [])
  const at = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString()
  const some = (from: number, to: number): readonly ImageOut[] => images.slice(from, to)
  const state = (place: number): string => (place < 5 ? 'needs_review' : place === 5 ? 'failed' : 'done')
  batches = [
    { uid: 'c1', at: at(0.2), folder: null, copies: some(0, 14).map((image, place) => copy(image, state(place), 'solid', place)) },
    { uid: 'c2', at: at(30), folder: status.folders[0]?.path ?? null, copies: some(14, 20).map((image, place) => copy(image, 'done', 'mosaic', place)) },
    { uid: 'c3', at: at(80), folder: null, copies: some(20, 23).map((image, place) => copy(image, place === 2 ? 'stopped' : 'done', 'blur', place, false)) },
  ]
  move(batches[1]?.copies.at(-1))
  if (scene === 'covering') batches.unshift({ uid: 'c4', at: at(0), folder: null, copies: some(0, 27).map((image, place) => copy(image, place > 10 ? 'planned' : 'done', 'solid', place)) })
  return batches
}

function batchOut({ uid, at, folder, copies }: Batch): RedactionBatchOut {
  const of = (state: string): number => copies.filter((each) => each.state === state).length
  return { uid, at, folder, planned: of('planned'), done: of('done'), needs_review: of('needs_review'), failed: of('failed'), stopped: of('stopped'), out: folder === null ? '/home/mei/Pictures/holiday-safe' : `${folder}-safe`, style: 'solid' as const, keep: folder === null ? ['Mei Lin'] : [], keep_consented: false, only: null, sample: copies[0]?.id ?? null }
}

function itemOut(uid: string, each: Copy, { status }: World): RedactedOut {
  const { image, marks } = each
  const name = image.name.replace('.HEIC', '.jpg')
  const known = each.state !== 'planned' || each.edited
  const zh = status.language === 'zh-CN'
  return {
    id: each.id,
    batch: uid,
    source: image.path,
    target: each.editable ? `/home/mei/${zh ? '打码副本' : 'Covered copies'}/${name}` : image.path,
    state: each.state,
    clip: each.frames > 0,
    passed: false,
    edited: each.edited,
    awaits_colleague: false,
    editable: each.editable && ['done', 'needs_review'].includes(each.state),
    found: marks.filter((mark) => mark.score !== null).length,
    covered: marks.filter((mark) => mark.covered).length,
    doubts: each.edited ? [] : each.doubts,
    width: known && each.state !== 'failed' ? image.width : null,
    height: known && each.state !== 'failed' ? image.height : null,
    sha256: 'a'.repeat(64),
    copy_sha256: `${each.id}x${each.made}`.padEnd(64, '0'),
    removed: ['gps', 'exif', 'thumbnail'],
    error:
      each.state === 'failed'
        ? { code: 'redact.disk_full', params: {}, ...(zh ? { cause: '副本所在的磁盘已满。', remedy: '请腾出空间，然后重试。' } : { cause: 'The disk for the copies is full.', remedy: 'Free some space, then try again.' }) }
        : null,
    at: new Date().toISOString(),
  }
}

/** The copy, drawn: its covers are all black, whatever their style. */
function covered({ image, marks }: Copy): string {
  const covers = marks.filter((mark) => mark.covered).map(({ box: [x, y, w, h], shape }) => (shape === 'box' ? `<rect x="${x}" y="${y}" width="${w}" height="${h}"/>` : `<ellipse cx="${x + w / 2}" cy="${y + h / 2}" rx="${w / 2}" ry="${h / 2}"/>`))
  return picture(image).replace('</svg>', `${covers.join('')}</svg>`)
}

async function body<T>(request: IncomingMessage): Promise<T> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return JSON.parse(Buffer.concat(parts).toString('utf8') || '{}') as T
}

/** Some time later what was planned is made. */
function finish(copies: readonly Copy[]): void {
  setTimeout(() => {
    for (const each of copies)
      if (each.state === 'planned') {
        each.state = each.doubts.length > 0 && !each.edited ? 'needs_review' : 'done'
        each.made += 1
      }
  }, 120)
}

/** Answers what belongs to covered copies; false for everything else. */
export function answerCovers(request: IncomingMessage, response: ServerResponse, url: URL, world: World, options: Options): boolean {
  const known = all(world, options)
  const json = (answer: unknown, status = 200): true => {
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(answer))
    return true
  }
  const none = (): true => json({ code: 'api.not_found', cause: 'There is no such thing.', remedy: '', params: {} }, 404)
  const [, , kind, name, rest] = url.pathname.split('/')
  if (kind === 'redactions' && name === undefined) {
    if (request.method === 'GET') return json({ items: known.map(batchOut) })
    void body<Wanted>(request).then((wanted) => {
      if (wanted.out === '/nowhere') {
        json({ code: 'redact.unwritable', params: {}, cause: 'The folder for the copies can’t be written to.', remedy: 'Choose another one.' }, 409)
        return
      }
      const batch: Batch = { uid: `n${known.length}`, at: new Date().toISOString(), folder: null, copies: wanted.images.flatMap((id, place) => world.images.filter((image) => image.id === id).map((image) => ({ ...copy(image, 'planned', wanted.style, place) }))) }
      known.unshift(batch)
      finish(batch.copies)
      json(batchOut(batch))
    })
    return true
  }
  if (kind === 'redactions') {
    const batch = known.find(({ uid }) => uid === name)
    if (!batch) return none()
    if (rest === undefined) return json(batchOut(batch))
    if (rest === 'items') {
      const order = ['needs_review', 'failed', 'done', 'planned']
      const sorted = [...batch.copies].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
      const offset = Number(url.searchParams.get('offset'))
      return json({ items: sorted.slice(offset, offset + Number(url.searchParams.get('limit'))).map((each) => itemOut(batch.uid, each, world)), total: sorted.length, changed_at: batch.at })
    }
    void body<{ ids: readonly number[] | null }>(request).then(({ ids }) => {
      const accepted = rest === 'accept' ? batch.copies.filter(({ id, state }) => state === 'needs_review' && (ids ?? [id]).includes(id)) : []
      for (const each of accepted) each.state = 'done'
      if (rest === 'stop') batch.copies.splice(0, batch.copies.length, ...batch.copies.filter((each) => each.state !== 'planned'))
      if (rest === 'retry') {
        for (const each of batch.copies) if (each.state === 'failed') each.state = 'planned'
        finish(batch.copies)
      }
      if (rest === 'stop') response.writeHead(204).end()
      else json({ count: accepted.length })
    })
    return true
  }
  if (kind !== 'redaction-items') return false
  const batch = known.find(({ copies }) => copies.some(({ id }) => id === Number(name)))
  const each = batch?.copies.find(({ id }) => id === Number(name))
  if (!batch || !each) return none()
  if (rest === 'preview') {
    response.writeHead(200, { 'content-type': 'image/svg+xml', 'cache-control': 'private, no-store' }).end(url.searchParams.get('of') === 'original' ? picture(each.image) : covered(each))
    return true
  }
  if (rest === 'show') {
    response.writeHead(204).end()
    return true
  }
  if (rest === 'marks') {
    void body<Pick<RedactionDetail, 'marks'>>(request).then(({ marks }) => {
      Object.assign(each, { marks, state: 'planned', edited: true })
      finish([each])
      json(itemOut(batch.uid, each, world))
    })
    return true
  }
  const faces = each.image.faces
  return json({ item: itemOut(batch.uid, each, world), moments: each.frames > 0 ? { first: 0, last: each.frames - 1, step: 1, most: 2, apart: false } : null, marks: each.marks, names: each.marks.map((_, place) => (faces[place]?.certainty === 'probable' ? null : (faces[place]?.person ?? null))) })
}
