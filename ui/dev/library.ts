/** The made-up agent's library: an index of any size, details, and actions that can be taken back. */

import { readFileSync, readdirSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'

import { albumImages, answerAlbums, resetAlbums, undoAlbums } from './albums.ts'
import type { LibraryAction } from '../src/api/photoFilter.ts'
import type { FolderOut, ImageOut, LibraryIndex, SubfolderOut } from '../src/api/types.ts'
import { HUGE, photoOf, type Options, type World } from './fixtures.ts'

interface Images {
  readonly ids: readonly number[]
  find(id: number): ImageOut | undefined
}

const ALL_IDS = Array.from({ length: HUGE }, (_, index) => HUGE - index)
const hidden = new Set<number>()
const favourites = new Set<number>()
const undos = new Map<string, () => void>()

/** JPEG files to answer thumbnails with, for measuring; without them thumbnails are drawn. */
const folder = process.env['AI_POPUP_MOCK_THUMBNAILS']
const thumbnails = folder === undefined ? [] : readdirSync(folder).map((name) => readFileSync(join(folder, name)))

export function imagesOf(world: World, { scene, language }: Options): Images {
  const marked = (image: ImageOut | undefined): ImageOut | undefined => image && { ...image, hidden: hidden.has(image.id), favourite: favourites.has(image.id) }
  if (scene === 'huge') return { ids: ALL_IDS, find: (id) => (id >= 1 && id <= HUGE ? marked(photoOf(id, language, HUGE)) : undefined) }
  return { ids: world.images.map(({ id }) => id), find: (id) => marked(world.images.find((image) => image.id === id)) }
}

/** The newest photos, without those that were hidden. */
export const newestOf = ({ images }: World): readonly ImageOut[] => images.filter(({ id }) => !hidden.has(id))

/** Forgets what was hidden or made a favourite. */
export function resetLibrary(): void {
  hidden.clear()
  favourites.clear()
  undos.clear()
  resetAlbums()
}

let huge: LibraryIndex | null = null

function index(images: Images, query: URLSearchParams, scene: string): LibraryIndex {
  const plain = scene === 'huge' && [...query.keys()].every((key) => key === 'packed') && hidden.size === 0
  if (plain && huge !== null) return huge
  const [after, before] = [query.get('after') ?? '', query.get('before') ?? '9999']
  const [least, most] = [Number(query.get('faces_min') ?? 0), Number(query.get('faces_max') ?? 999)]
  const people = (query.get('people') ?? '').split(',').filter(Boolean).map(Number)
  const match = query.get('match') ?? 'all'
  const album = query.get('album')
  const inOrder = album === null ? images.ids : (albumImages(Number(album)) ?? [])
  const found = inOrder.flatMap((id) => {
    const image = images.find(id)
    if (!image || image.hidden !== (query.get('hidden') === 'true')) return []
    const day = image.taken_at.slice(0, 10)
    const folderFits = query.get('folder') === null || query.get('folder')?.startsWith('/photos/phone') === true
    const here = new Set(image.faces.map(({ person_id }) => person_id).filter((person) => person !== null))
    const peopleFit = people.length === 0 || (match === 'any' ? people.some((id) => here.has(id)) : people.every((id) => here.has(id)) && (match !== 'only' || here.size === people.length))
    const only = query.get('images')?.split(',').map(Number)
    if (only && !only.includes(id)) return []
    if (query.get('favourites') === 'true' && !image.favourite) return []
    if (!`${image.folder}/${image.name}`.toLowerCase().includes((query.get('text') ?? '').toLowerCase())) return []
    const unnamedFits = query.get('unnamed') !== 'true' || image.faces.some((face) => face.person === null && !face.ignored)
    return peopleFit && unnamedFits && folderFits && day >= after && day <= before && image.faces.length >= least && image.faces.length <= most ? [image] : []
  })
  const days: { day: string; count: number }[] = []
  for (const { taken_at } of album === null ? found : []) {
    const day = taken_at.slice(0, 10)
    const last = days.at(-1)
    if (last?.day === day) last.count += 1
    else days.push({ day, count: 1 })
  }
  const ratios = found.map(({ width, height }) => Math.round((width * 100) / height))
  const answer = { ids: found.map(({ id }) => id), ratios, days, total: found.length }
  if (plain) huge = answer
  return answer
}

/** As `agent/features/library/index_encoding.py` packs it. */
function pack({ ids, ratios, days }: LibraryIndex): Buffer {
  const since1970 = days.map(({ day }) => Date.parse(`${day}T00:00:00Z`) / 86_400_000)
  const numbers = Int32Array.from([ids.length, days.length, ...ids, ...since1970, ...days.map(({ count }) => count)])
  return Buffer.concat([Buffer.from(numbers.buffer), Buffer.from(Uint16Array.from(ratios).buffer)])
}

async function body<T>(request: IncomingMessage): Promise<T> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return JSON.parse(Buffer.concat(parts).toString('utf8')) as T
}

function act(action: LibraryAction, ids: readonly number[]): { undo: string | null; count: number } {
  if (action === 'look_again') return { undo: null, count: ids.length }
  const marked = action.endsWith('hide') ? hidden : favourites
  const on = !action.startsWith('un')
  const put = (set: boolean): void => ids.forEach((id) => (set ? marked.add(id) : marked.delete(id)))
  put(on)
  const undo = `undo-${undos.size}`
  undos.set(undo, () => put(!on))
  return { undo, count: ids.length }
}

/** Answers what belongs to the library; false for everything else. */
export function answerLibrary(request: IncomingMessage, response: ServerResponse, url: URL, world: World, chosen: Options): boolean {
  const images = imagesOf(world, chosen)
  const json = (answer: unknown): true => {
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(answer))
    return true
  }
  const id = Number(/^\/api\/images\/(\d+)\/thumbnail$/.exec(url.pathname)?.[1])
  if (thumbnails.length > 0 && !Number.isNaN(id)) {
    response.writeHead(200, { 'content-type': 'image/jpeg', 'cache-control': 'private, no-store' }).end(thumbnails[id % thumbnails.length])
    return true
  }
  if (url.pathname.startsWith('/api/albums')) {
    const ofPeople = (people: readonly number[]): readonly number[] => images.ids.filter((image) => images.find(image)?.faces.some(({ person_id }) => person_id !== null && people.includes(person_id)))
    void answerAlbums(request, url.pathname, ofPeople).then(json)
    return true
  }
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /api/library': {
      const found = index(images, url.searchParams, chosen.scene)
      if (!url.searchParams.has('packed')) return json(found)
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'cache-control': 'private, no-store' }).end(pack(found))
      return true
    }
    case 'GET /api/images/by-id':
      return json({ items: (url.searchParams.get('ids') ?? '').split(',').flatMap((wanted) => images.find(Number(wanted)) ?? []), next: null })
    case 'GET /api/folders': {
      const shares = [0.7, 0.2, 0.1]
      const folders: FolderOut[] = world.status.folders.map((known, place) => ({
        ...known,
        images: Math.round(images.ids.length * (shares[place] ?? 0)),
      }))
      return json(folders)
    }
    case 'GET /api/folders/inside': {
      const path = url.searchParams.get('path') ?? ''
      const inside = path === '/photos/phone' ? ['2024', '2025'] : path === '/photos/phone/2025' ? ['2025-05 Lisbon', '2025-11 Birthday'] : []
      return json(inside.map((name): SubfolderOut => ({ path: `${path}/${name}`, name, images: Math.round(images.ids.length / 3), nested: name === '2025' })))
    }
    case 'POST /api/library/actions':
      void body<{ action: LibraryAction; ids: number[] }>(request).then(({ action, ids }) => json(act(action, ids)))
      return true
    case 'POST /api/library/undo':
      void body<{ undo: string }>(request).then(({ undo }) => {
        undos.get(undo)?.()
        undoAlbums(undo)
        response.writeHead(204).end()
      })
      return true
    default:
      return false
  }
}
