/** Made-up photos, people and states to look at the UI with, and pictures drawn to match. */

import type { FaceOut, ImageOut, PersonOut, PlaceProblem, Problem, Status } from '../src/api/types'

const NAMES = {
  en: ['Mei', 'Grandpa', 'Lin Yue', 'Li Wei', 'Anna', 'Sam', 'Tomás', 'Mr Chen', 'Priya', 'Noor', 'Leo', 'Maximiliana Wolfeschlegelsteinhausen'],
  'zh-CN': ['小梅', '爷爷', '林悦', '李伟', 'Anna', 'Sam', 'Tomás', '陈老师', 'Priya', 'Noor', '乐乐', '欧阳建国'],
}

type Language = keyof typeof NAMES

/** Faces in parts of the picture: middle x, middle y, height; then the person (-1 for none) and how certain. */
type Plan = readonly (readonly [number, number, number, number, FaceOut['certainty']])[]

const FAMILY: Plan = [
  [0.25, 0.48, 0.34, 0, 'confirmed'],
  [0.5, 0.37, 0.36, 1, 'certain'],
  [0.77, 0.57, 0.3, 2, 'probable'],
]
const CLASS: Plan = Array.from({ length: 14 }, (_, index) => [
  0.09 + (index % 5) * 0.2 + (index > 4 ? 0.05 : 0) - (index > 9 ? 0.05 : 0),
  0.3 + Math.floor(index / 5) * 0.2,
  0.17,
  index % 3 === 2 ? -1 : index % 11,
  index % 3 === 2 ? null : 'certain',
])
const FORTY: Plan = Array.from({ length: 40 }, (_, index) => [
  0.07 + (index % 10) * 0.095 + (Math.floor(index / 10) % 2) * 0.03,
  0.3 + Math.floor(index / 10) * 0.17,
  0.11,
  index % 4 === 1 ? -1 : index % 12,
  index % 4 === 1 ? null : 'certain',
])
const PLANS: readonly { readonly size: readonly [number, number]; readonly plan: Plan }[] = [
  { size: [4032, 3024], plan: FAMILY },
  { size: [4000, 2250], plan: [[0.4, 0.4, 0.4, 3, 'confirmed'], [0.68, 0.45, 0.36, -1, null]] },
  { size: [3024, 4032], plan: [[0.5, 0.4, 0.3, 0, 'certain']] },
  { size: [4032, 2700], plan: CLASS },
  { size: [4032, 3024], plan: [] },
  { size: [6000, 4000], plan: [[0.3, 0.45, 0.3, 4, 'certain'], [0.55, 0.4, 0.3, 5, 'certain'], [0.8, 0.5, 0.26, -1, null]] },
  { size: [2000, 2000], plan: [[0.5, 0.45, 0.4, 11, 'probable']] },
  { size: [4032, 2700], plan: FORTY },
  { size: [4032, 3024], plan: [[0.45, 0.45, 0.4, -1, null]] },
  { size: [9000, 2400], plan: [[0.2, 0.5, 0.3, 6, 'certain'], [0.35, 0.5, 0.3, 7, 'certain'], [0.8, 0.5, 0.3, -1, null]] },
]

const HOUR = 3_600_000

function image(id: number, plan: (typeof PLANS)[number], at: number, language: Language, recognition: boolean, nobody = false): ImageOut {
  const [width, height] = plan.size
  const faces = plan.plan.map(([x, y, tall, person, certainty], index): FaceOut => {
    const h = tall * height
    const w = h * 0.76
    const named = recognition && !nobody && person >= 0
    return {
      id: id * 100 + index,
      box: [x * width - w / 2, y * height - h / 2, w, h],
      score: 0.97,
      person_id: named ? person + 1 : null,
      person: named ? (NAMES[language][person] ?? null) : null,
      certainty: named ? certainty : null,
      agree: 2,
      references: 3,
      ignored: false,
    }
  })
  const folder = language === 'en' ? 'Phone uploads' : '手机上传'
  const name = `IMG_${4800 + id}.HEIC`
  const indexed_at = new Date(at).toISOString()
  return {
    id,
    name,
    folder,
    path: `/photos/phone/${name}`,
    places: id % 4 === 0 ? 2 : 1,
    width,
    height,
    faces,
    indexed_at,
    taken_at: indexed_at,
    size: Math.round(width * height * 0.26),
    format: 'heic',
    hidden: false,
    favourite: false,
  }
}

const PROBLEMS: Record<Language, readonly Problem[]> = {
  en: [
    { params: {}, code: 'image.truncated', cause: 'The file ends early: 1.2 of 4.8 MB arrived.', remedy: 'Copy it again from the camera.' },
    { params: {}, code: 'engine.killed', cause: 'Opening it needs more memory than allowed.', remedy: 'Raise the limit or leave it out.' },
    { params: {}, code: 'source.unreachable', cause: 'The folder hasn’t answered since 22:10.', remedy: 'Nothing is lost: it is rescanned once it is back.' },
    { params: {}, code: 'store.disk_full', cause: 'The disk that holds the library is full.', remedy: 'Free some space; the work goes on by itself.' },
    { params: {}, code: 'engine.memory', cause: 'The engine used 1,210 MB, more than its limit of 1,024 MB, and was restarted.', remedy: 'The other photos aren’t affected.' },
  ],
  'zh-CN': [
    { params: {}, code: 'image.truncated', cause: '文件不完整：4.8 MB 只收到 1.2 MB。', remedy: '请从相机重新复制。' },
    { params: {}, code: 'engine.killed', cause: '打开它所需内存超过上限。', remedy: '可提高上限或排除它。' },
    { params: {}, code: 'source.unreachable', cause: '该文件夹自 22:10 起没有响应。', remedy: '数据不会丢失，恢复后会自动重新扫描。' },
    { params: {}, code: 'store.disk_full', cause: '图库所在的磁盘已满。', remedy: '请腾出空间，之后会自动继续。' },
    { params: {}, code: 'engine.memory', cause: '引擎占用了 1,210 MB 内存，超过上限 1,024 MB，已重新启动。', remedy: '其他照片继续处理。' },
  ],
}

/** Files with problems in the scene `trouble`. */
const MANY = 10_000

export interface Options {
  /** family, counts, forty, setaside, battery, limited, quiet, unknown, portrait, crowd, noface, long, panorama, failed, burst, finished, paused, empty, first, undialogued, attention, away, loading, unauthorised, offline, trouble, huge, nobody, many, settled, unread, captured, captures, captured_nobody, captured_gone, newer, older */
  readonly scene: string
  readonly language: Language
  readonly theme: Status['theme']
}

export interface World {
  readonly status: Status
  readonly images: readonly ImageOut[]
  readonly problems: readonly PlaceProblem[]
  readonly people: readonly PersonOut[]
}

const FIRST: Record<string, number> = { portrait: 2, crowd: 3, noface: 4, long: 6, forty: 7, unknown: 8, panorama: 9 }

/** What the agent would answer in a scene. */
export function world({ scene, language, theme }: Options): World {
  const now = Date.now()
  /** a server on its first day */
  const fresh = scene.startsWith('team_new')
  const bare = scene === 'team_bare_editor'
  const recognition = scene !== 'counts' && !fresh
  const first = FIRST[scene] ?? 0
  const images =
    scene === 'empty' || scene === 'first' || fresh || bare
      ? []
      : Array.from({ length: 27 }, (_, index) => {
          const plan = PLANS[(index + first) % PLANS.length] as (typeof PLANS)[number]
          return image(99 - index, plan, now - (scene === 'failed' || scene === 'setaside' ? 30_000 : 4_000) - index * 3.1 * HOUR * (index > 2 ? 1 : 0.01), language, recognition, scene === 'nobody')
        })
  const [truncated, killed, unreachable, full, memory] = PROBLEMS[language] as [Problem, Problem, Problem, Problem, Problem]
  const bad = ['failed', 'setaside', 'burst', 'away', 'trouble'].includes(scene)
  const problems = bad
    ? [
        { place_id: 1, name: 'DSC_0192.JPG', path: '/photos/DSC_0192.JPG', quarantined: false, action: 'show' as const, at: new Date(now - 5_000).toISOString(), problem: truncated },
        { place_id: 2, name: 'panorama_huge.tif', path: '/photos/panorama_huge.tif', quarantined: true, action: 'settings' as const, at: new Date(now - (scene === 'setaside' ? 2_000 : 26 * HOUR)).toISOString(), problem: killed },
      ]
    : []
  const working = ['burst', 'paused', 'battery', 'limited'].includes(scene)
  const folders = [
    { path: '/photos/phone', name: language === 'en' ? 'Phone uploads' : '手机上传', problem: null },
    { path: '/photos/scans', name: language === 'en' ? 'Scans 1980–99' : '老照片扫描', problem: null },
    { path: '/nas/family', name: language === 'en' ? 'Family NAS' : '家庭 NAS', problem: scene === 'away' ? unreachable : null },
  ]
  const status: Status = {
    version: '0.2.0',
    state: scene === 'paused' || scene === 'battery' ? 'paused' : scene === 'attention' ? 'attention' : working ? 'working' : 'idle',
    language,
    theme,
    letter_keys: true,
    popup_seconds: 12,
    recognition,
    queued: working ? 2_716 : scene === 'attention' ? 23 : 0,
    failed: scene === 'trouble' ? MANY : problems.length,
    online_only: scene === 'trouble' ? 1_234 : 0,
    images: scene === 'huge' ? HUGE : images.length,
    faces: images.reduce((sum, { faces }) => sum + faces.length, 0),
    people: 18,
    doubts: 0,
    people_changed: 0,
    captures: 0,
    captures_changed: 0,
    watch: 'off',
    watch_said: 0,
    burst: working ? { done: 1_284, total: 4_000, rate: 22, seconds_left: 123, faces: 3_021, people: 11, failed: problems.length } : null,
    folders: scene === 'first' || fresh ? [] : scene === 'empty' || bare ? folders.slice(0, 1) : folders,
    problem: scene === 'attention' ? full : null,
    quiet_until: scene === 'quiet' ? new Date(now + 2.6 * HOUR).toISOString() : null,
    throttled: scene === 'battery' ? 'battery_low' : scene === 'away' ? 'battery' : null,
    warning: scene === 'limited' ? memory : null,
    finished: scene === 'finished' ? { photos: 1_204, with_faces: 870, people: 12, failed: 3 } : null,
  }
  const people = scene === 'nobody' ? [] : NAMES[language].map((name, index) => ({ id: index + 1, name, faces: 40 - index, photos: 40 - index - Number(index === 1), portrait: portraitOf(name, images), suggested: index === 2 ? 9 : 0, references: scene.startsWith('team') && index < 2 ? 2 : 0, hidden: index === 8, never: index === 9, overdue: index === 7 }))
  return { status, images, problems, people }
}

/** The last face of that name, one that was confirmed if there is one. */
function portraitOf(name: string, images: readonly ImageOut[]): PersonOut['portrait'] {
  const all = images.flatMap(({ id, width, height, faces }) => faces.map((face) => ({ image_id: id, width, height, face }))).filter(({ face }) => face.person === name)
  const found = all.find(({ face }) => face.certainty === 'confirmed') ?? all[0]
  return found ? { image_id: found.image_id, width: found.width, height: found.height, box: found.face.box } : null
}

/** How many photos the scene `huge` has. */
export const HUGE = 100_000

/** The photo with a number, of a library of any size: the newest has the highest, and some twenty are of one day. */
export function photoOf(id: number, language: Language, newest: number): ImageOut {
  const plan = PLANS[(id * 7 + (id >> 3)) % PLANS.length] as (typeof PLANS)[number]
  return image(id, plan, Date.now() - (newest - id) * 1.1 * HOUR, language, true)
}

const SKIES = ['#9db7c4 #e8d3b8', '#8ec3d6 #dff0ee', '#c9d8c5 #7f9f78', '#d8c7ab #b9966d', '#39415e #6d5a78', '#dfe7ea #a9c0c9']
const SKINS = ['#e9b996', '#c98d63', '#f1cbb0', '#8a5a3c', '#dca57e']
const HAIRS = ['#2c211d', '#b8bab9', '#3a2a22', '#8c4126', '#c79a5b', '#171513']
const SHIRTS = ['#a64c3b', '#555d60', '#c2963f', '#3f6d5d', '#4d6f92', '#7c5273']

/** The picture of a made-up photo, as SVG. */
export function picture({ id, width, height, faces }: ImageOut): string {
  const pick = (list: readonly string[], salt: number): string => list[(id * 7 + salt) % list.length] as string
  const [top, bottom] = pick(SKIES, 0).split(' ') as [string, string]
  const people = faces.map(({ box: [x, y, w, h] }, index) => {
    const middle = x + w / 2
    const skin = pick(SKINS, index * 3)
    const hair = pick(HAIRS, index * 5)
    return `<path d="M${middle - w * 1.3} ${y + h * 3}C${middle - w * 1.3} ${y + h * 1.3} ${middle - w * 0.5} ${y + h * 1.25} ${middle} ${y + h * 1.25}
      S${middle + w * 1.3} ${y + h * 1.3} ${middle + w * 1.3} ${y + h * 3}Z" fill="${pick(SHIRTS, index)}"/>
      <rect x="${middle - w * 0.18}" y="${y + h * 0.8}" width="${w * 0.36}" height="${h * 0.5}" fill="${skin}"/>
      <ellipse cx="${middle}" cy="${y + h * 0.42}" rx="${w * 0.62}" ry="${h * 0.58}" fill="${hair}"/>
      <ellipse cx="${middle}" cy="${y + h * 0.55}" rx="${w * 0.48}" ry="${h * 0.48}" fill="${skin}"/>
      <circle cx="${middle - w * 0.2}" cy="${y + h * 0.5}" r="${w * 0.05}" fill="#2a2320"/><circle cx="${middle + w * 0.2}" cy="${y + h * 0.5}" r="${w * 0.05}" fill="#2a2320"/>
      <path d="M${middle - w * 0.16} ${y + h * 0.78}q${w * 0.16} ${h * 0.09} ${w * 0.32} 0" stroke="#9c4a3c" stroke-width="${w * 0.04}" fill="none" stroke-linecap="round"/>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
    <linearGradient id="s" x2="0" y2="1"><stop stop-color="${top}"/><stop offset="1" stop-color="${bottom}"/></linearGradient>
    <rect width="100%" height="100%" fill="url(#s)"/>
    <path d="M0 ${height * 0.7}L${width * 0.3} ${height * 0.4}L${width * 0.55} ${height * 0.65}L${width * 0.8} ${height * 0.45}L${width} ${height * 0.6}V${height}H0Z" fill="#5d7379" opacity=".6"/>
    ${people.join('')}</svg>`
}
