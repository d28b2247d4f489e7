/** The made-up agent's captures of the screen: one, or two, or one without faces, which can be changed, copied, saved and discarded. */

import type { IncomingMessage, ServerResponse } from 'node:http'

import type { CaptureChange, CaptureOut, ImageOut, Status } from '../src/api/types.ts'
import { picture, type Options, type World } from './fixtures.ts'

interface Taken {
  readonly image: ImageOut
  out: CaptureOut
}

const watchers = new Set<() => void>()
let open: Taken[] | null = null
let changes = 0

export function resetCaptures(): void {
  open = null
}

export function onCaptures(changed: () => void): () => void {
  watchers.add(changed)
  return () => void watchers.delete(changed)
}

function changed(): void {
  changes += 1
  for (const watcher of watchers) watcher()
}

function taken(image: ImageOut, id: string, copied: boolean): Taken {
  const faces = image.faces.map(({ box, score, person_id, person, certainty }) => ({ box, score, person_id, person, certainty, covered: true }))
  return { image, out: { id, width: image.width, height: image.height, faces, drawn: [], style: 'solid', shape: 'ellipse', path: null, copied, open: true } }
}

function all({ images }: World, { scene }: Options): Taken[] {
  // Of the made-up photos the first shows a family, the fourth a class, the fifth no people.
  const of = (index: number, id: string, copied = true): Taken[] => images.slice(index, index + 1).map((image) => taken(image, id, copied))
  open ??=
    scene === 'captured' ? of(0, 'a')
    : scene === 'captures' ? [...of(3, 'b'), ...of(1, 'c', false)]
    : scene === 'captured_nobody' ? of(4, 'd')
    : scene === 'captured_gone' ? of(0, 'e')
    : []
  return open
}

/** How many are open, and how often they changed. */
export function captureCounts(world: World, options: Options): Pick<Status, 'captures' | 'captures_changed'> {
  return { captures: all(world, options).length, captures_changed: changes }
}

function covered({ image, out }: Taken): string {
  const round = out.faces.filter((face) => face.covered).map(({ box: [x, y, w, h] }) => `<ellipse cx="${x + w / 2}" cy="${y + h / 2}" rx="${w * 0.78}" ry="${h * 0.78}"/>`)
  const drawn = out.drawn.map(([x, y, w, h]) => `<rect x="${x}" y="${y}" width="${w}" height="${h}"/>`)
  return picture(image).replace('</svg>', `${[...round, ...drawn].join('')}</svg>`)
}

async function body<T>(request: IncomingMessage): Promise<T> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return JSON.parse(Buffer.concat(parts).toString('utf8') || '{}') as T
}

/** Answers what belongs to captures; false for everything else. */
export function answerCaptures(request: IncomingMessage, response: ServerResponse, url: URL, world: World, options: Options): boolean {
  const [, , kind, id, rest] = url.pathname.split('/')
  if (kind !== 'captures') return false
  const known = all(world, options)
  const json = (answer: unknown, status = 200): true => {
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(answer))
    return true
  }
  if (id === undefined) return json({ items: known.map(({ out }) => out) })
  const each = known.find(({ out }) => out.id === id)
  if (each && options.scene === 'captured_gone' && request.method !== 'GET') known.splice(known.indexOf(each), 1)
  if (!each || !known.includes(each)) {
    changed()
    return json({ code: 'capture.gone', cause: 'This capture isn’t there any more.', remedy: 'Capture the screen again.', params: {} }, 404)
  }
  if (rest === 'picture') {
    response.writeHead(200, { 'content-type': 'image/svg+xml', 'cache-control': 'no-store' }).end(covered(each))
    return true
  }
  void body<CaptureChange>(request).then(({ covered: turned, drawn, style }) => {
    const { out } = each
    if (request.method === 'DELETE') known.splice(known.indexOf(each), 1)
    else if (rest === 'copy') for (const other of known) other.out = { ...other.out, copied: other === each }
    else if (rest === 'save') each.out = { ...out, path: `/home/mei/Pictures/${options.language === 'en' ? 'Capture' : '截屏'} 2026-11-26.png` }
    else {
      const faces = out.faces.map((face, index) => ({ ...face, covered: turned?.[index] ?? face.covered }))
      each.out = { ...out, faces, drawn: drawn ?? out.drawn, style: style ?? out.style, copied: false, path: null }
    }
    changed()
    json(each.out)
  })
  return true
}
