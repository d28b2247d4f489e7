/** The made-up team's libraries and buckets, what is uploaded to them, the search index, and a computer that asks to join. */

import type { IncomingMessage, ServerResponse } from 'node:http'

import type { JoinAsked, JoinDecision, LibrariesOut, LibraryAdd, LibraryOut, SearchIndex, UploadsOut } from '../src/api/types.ts'
import { ofBuckets, resetBuckets } from './buckets.ts'
import type { Options } from './fixtures.ts'
import { is, OK, problem, type Reply } from './replies.ts'

const PASSWORD = 'correct horse battery staple'
/** A file of this name is refused, one that begins so never ends. */
const [REFUSED, ENDLESS] = ['refused.jpg', 'endless']
const CODE = 'BCDF-GHJK'

const library = (id: number, name: string, over: Partial<LibraryOut> = {}): LibraryOut => ({ id, name, photos: 0, for_all: false, rest: false, role: 'administrator', sources: [], members: [], ...over })

const folder = (path: string): LibraryOut['sources'][number] => ({ path, shown: path.split('/').at(-1) ?? path })

interface Upload {
  readonly size: number
  readonly name: string
  offset: number
}

let libraries: LibraryOut[] | null = null
let loose: string[] = []
const uploads = new Map<string, Upload>()

export function resetLibraries(): void {
  libraries = null
  resetBuckets()
  uploads.clear()
}

function librariesOf({ scene, language }: Options): LibraryOut[] {
  const [school, press, all] = language === 'en' ? ['School year 2026', 'Press and open days, also those of the two years before', 'All photos'] : ['2026 学年', '媒体与开放日（含前两年的开放日）', '全部照片']
  if (libraries === null) loose = scene === 'team' ? ['/srv/photos/unsorted'] : []
  libraries ??=
    scene === 'team'
      ? [
          library(1, school, {
            photos: 48_213,
            sources: [folder('/srv/photos/school/2026'), folder('/srv/photos/phones/uploads-of-the-teachers/from-september-to-december')],
            members: [
              { id: 'm2', role: 'curator' },
              { id: 'm3', role: 'editor' },
              { id: 'm4', role: 'auditor' },
            ],
          }),
          library(2, press, { photos: 1, for_all: true, sources: [folder('/srv/photos/press')] }),
        ]
      : [library(1, all, { photos: scene === 'team_empty' ? 0 : 312, for_all: true, rest: true, sources: scene === 'team_empty' ? [] : [folder('/srv/photos')] })]
  return libraries
}

function changed(id: number, options: Options, change: (one: LibraryOut) => Partial<LibraryOut>): void {
  libraries = librariesOf(options).map((each) => (each.id === id ? { ...each, ...change(each) } : each))
}

function ofLibraries(method: string, url: URL, body: string, options: Options): Reply {
  const all = librariesOf(options)
  const [, number, part, member] = /^\/api\/libraries(?:\/(\d+))?(?:\/(sources|members))?(?:\/([^/]+))?$/.exec(url.pathname) ?? []
  const id = Number(number)
  const said = (): unknown => JSON.parse(body)
  if (method === 'GET') {
    if (options.scene === 'team_broken') return problem(503, 'store.unavailable', options, ['The database doesn’t answer.', 'It is tried again.'], ['数据库没有响应。', '稍后会自动重试。'])
    if (options.scene === 'team_library_auditor') return is({ items: [library(1, options.language === 'en' ? 'School year 2026' : '2026 学年', { role: 'auditor' })], unassigned: [] } satisfies LibrariesOut)
    return is({ items: all, unassigned: loose } satisfies LibrariesOut)
  }
  if (number === undefined) {
    const { name, for_all, sources } = said() as LibraryAdd
    if (all.some((each) => each.name === name)) return problem(409, 'libraries.name_taken', options, ['Another library has this name.', 'Choose another.'], ['另一个图库已用此名称。', '请换一个。'])
    const made = library(Math.max(...all.map((each) => each.id)) + 1, name, { for_all: for_all ?? false, sources: (sources ?? []).map(folder) })
    libraries = [...all, made]
    return is(made)
  }
  if (part === undefined && method === 'DELETE') libraries = all.filter((each) => each.id !== id)
  if (part === undefined && method === 'PATCH') changed(id, options, () => said() as Partial<LibraryOut>)
  if (part === 'sources') {
    const path = method === 'PUT' ? (said() as { path: string }).path : (url.searchParams.get('path') ?? '')
    loose = method === 'PUT' ? loose.filter((each) => each !== path) : [...loose, path]
    changed(id, options, ({ sources }) => ({ sources: [...sources.filter((each) => each.path !== path), ...(method === 'PUT' ? [folder(path)] : [])] }))
  }
  if (part === 'members') {
    const role = method === 'PUT' ? (said() as LibraryOut['members'][number]).role : null
    changed(id, options, ({ members }) => ({ members: [...members.filter((each) => each.id !== member), ...(role === null ? [] : [{ id: member ?? '', role }])] }))
  }
  return OK
}

function ofUploads(request: IncomingMessage, id: string | undefined, length: number, options: Options): Reply {
  const named = (name: string): string => {
    const [, value = ''] = new RegExp(`${name} ([^,]*)`).exec(String(request.headers['upload-metadata'])) ?? []
    return Buffer.from(value, 'base64').toString()
  }
  if (request.method === 'GET')
    return is({ days: 7, file_bytes: 4e9, items: [], libraries: librariesOf(options).map(({ id: each, name }) => ({ id: each, name })) } satisfies UploadsOut)
  if (request.method === 'POST') {
    if (named('filename') === REFUSED) return problem(413, 'upload.too_large', options, ['The file is larger than this server takes.', 'Ask an administrator to raise uploads.max_file_mb.'], ['文件超过此服务器允许的大小。', '请让管理员调大 uploads.max_file_mb。'])
    const made = `u${uploads.size + 1}`
    uploads.set(made, { size: Number(request.headers['upload-length']), name: named('filename'), offset: 0 })
    return { status: 201, headers: { location: `/api/uploads/${made}` } }
  }
  const found = uploads.get(id ?? '')
  if (found === undefined) return problem(404, 'api.not_found', options, ['There is no such upload.', ''], ['没有这个上传。', ''])
  if (request.method === 'DELETE') uploads.delete(id ?? '')
  found.offset += length
  const outcome = found.offset >= found.size ? { 'upload-outcome': 'stored' } : null
  return { status: request.method === 'HEAD' ? 200 : 204, headers: { 'upload-offset': String(found.offset), ...outcome } }
}

function search({ scene }: Options): SearchIndex {
  if (scene === 'team_empty') return { faces: 0, state: 'exact', progress: null }
  if (scene === 'team_alone') return { faces: 402_118, state: 'building', progress: 0.37 }
  return { faces: 402_118, state: 'index', progress: null }
}

function ofJoining(method: string, code: string, body: string, options: Options): Reply {
  if (code !== CODE) return problem(404, 'team.join_code_gone', options, ['No computer is waiting with this code.', 'Compare the code with the one on that computer.'], ['没有电脑在用这个代码等待加入。', '请与那台电脑上显示的代码核对。'])
  if (method === 'POST') {
    const { allow, password } = JSON.parse(body) as JoinDecision
    if (!allow || password === PASSWORD) return OK
    return problem(422, 'account.old_password_wrong', options, ['The current password is wrong.', 'Check it and try again.'], ['当前密码不正确。', '请检查后重试。'])
  }
  return is({ computer: 'mei-thinkpad', system: 'Linux', address: '192.0.2.17', asked_at: new Date(Date.now() - 40_000).toISOString(), may_name: true } satisfies JoinAsked)
}

/** False for everything else. */
export function answerLibraries(request: IncomingMessage, response: ServerResponse, url: URL, options: Options): boolean {
  const [, room, rest] = /^\/api\/(libraries|buckets|uploads|search\/index|join\/requests)(?:\/(.*))?$/.exec(url.pathname) ?? []
  if (room === undefined) return false
  const method = request.method ?? 'GET'
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const body = Buffer.concat(parts)
    const upload = uploads.get(rest ?? '')
    if (room === 'uploads' && method === 'PATCH' && upload?.name.startsWith(ENDLESS)) return
    const reply =
      room === 'libraries' ? ofLibraries(method, url, body.toString(), options)
      : room === 'buckets' ? ((answer) => (answer === undefined ? OK : is(answer)))(ofBuckets(method, url.pathname, body.toString(), options))
      : room === 'uploads' ? ofUploads(request, rest, method === 'PATCH' ? body.length : 0, options)
      : room === 'search/index' ? is(search(options))
      : ofJoining(method, rest ?? '', body.toString(), options)
    response.writeHead(reply.status, { 'content-type': 'application/json', 'cache-control': 'no-store', 'content-language': options.language, ...reply.headers })
    response.end(reply.answer === undefined ? '' : JSON.stringify(reply.answer))
  })
  return true
}
