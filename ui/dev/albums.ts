/** The made-up agent's albums: made, put in order and removed, each undone by its step. */

import type { IncomingMessage } from 'node:http'

import type { AlbumDone, AlbumMake, AlbumOut } from '../src/api/types.ts'

interface Kept extends AlbumOut {
  readonly images: readonly number[]
}

let albums: readonly Kept[] = []
let made = 0
const undos = new Map<string, readonly Kept[]>()

export function resetAlbums(): void {
  albums = []
  undos.clear()
}

/** The images of an album in its order; null if there is no such album. */
export function albumImages(id: number): readonly number[] | null {
  return albums.find((album) => album.id === id)?.images ?? null
}

export function undoAlbums(undo: string): void {
  albums = undos.get(undo) ?? albums
}

function change(id: number, count: number, next: readonly Kept[]): AlbumDone {
  const undo = `album-${undos.size}`
  undos.set(undo, albums)
  albums = next
  return { id, undo, count }
}

function edit(id: number, count: number, how: (album: Kept) => Partial<Kept>): AlbumDone {
  return change(id, count, albums.map((album) => (album.id === id ? counted({ ...album, ...how(album) }) : album)))
}

function counted(album: Kept): Kept {
  return { ...album, count: album.images.length, cover: album.cover ?? album.images[0] ?? null }
}

interface Wish extends Partial<AlbumMake> {
  readonly ids?: readonly number[]
  readonly cover?: number
  readonly before?: number | null
}

/** The answer; null for what is not of albums. `faces` are the images of people. */
export async function answerAlbums(request: IncomingMessage, path: string, faces: (people: readonly number[]) => readonly number[]): Promise<unknown> {
  if (request.method === 'GET') return { items: [...albums].sort((one, other) => one.name.localeCompare(other.name)) }
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const wish = JSON.parse(Buffer.concat(parts).toString('utf8') || '{}') as Wish
  const id = Number(/^\/api\/albums\/(\d+)/.exec(path)?.[1])
  const ids = wish.ids ?? []
  switch (`${request.method} ${path.replace(/\d+/, 'N')}`) {
    case 'POST /api/albums': {
      const people = wish.people ?? []
      const images = people.length > 0 ? faces(people) : (wish.images ?? [])
      const album = { id: ++made, name: wish.name ?? '', match: people.length > 0 ? (wish.match ?? 'all') : null, people, certain: false, kept_back: [], count: 0, cover: null, library: null, images }
      return change(album.id, images.length, [...albums, counted(album)])
    }
    case 'PATCH /api/albums/N':
      return edit(id, 1, ({ name, cover }) => ({ name: wish.name ?? name, cover: wish.cover ?? cover }))
    case 'DELETE /api/albums/N':
      return change(id, 1, albums.filter((album) => album.id !== id))
    case 'POST /api/albums/N/images':
      return edit(id, ids.length, ({ images }) => ({ images: [...new Set([...images, ...ids])] }))
    case 'POST /api/albums/N/images/remove':
      return edit(id, ids.length, ({ images }) => ({ images: images.filter((image) => !ids.includes(image)), cover: null }))
    default:
      return edit(id, ids.length, ({ images }) => {
        const rest = images.filter((image) => !ids.includes(image))
        const at = wish.before == null ? rest.length : rest.indexOf(wish.before)
        return { images: [...rest.slice(0, at), ...ids, ...rest.slice(at)] }
      })
  }
}
