/** The made-up agent's settings, folders, first run and quiet times: kept until a page is opened with another scene. */

import type { IncomingMessage, ServerResponse } from 'node:http'

import en from '../../assets/locales/en.json' with { type: 'json' }
import zh from '../../assets/locales/zh-CN.json' with { type: 'json' }
import { page, pages } from '../docs.ts'
import type { Setting, SettingGroup, Value, WatchedFolder, WelcomeChoices } from '../src/api/settingsApi.ts'
import type { Reference, SessionOut } from '../src/api/types.ts'
import { flatten } from '../texts.ts'
import type { Options, World } from './fixtures.ts'

type Row = readonly [
  key: string,
  kind: string,
  value: Value,
  minimum: number | null,
  maximum: number | null,
  step: number | null,
  unit: string | null,
  choices: string,
  everyday: number,
]

const ROWS: readonly Row[] = [
  ['general.language', 'choice', 'auto', null, null, null, null, 'auto|en|zh-CN', 1],
  ['general.theme', 'choice', 'auto', null, null, null, null, 'auto|light|dark', 1],
  ['general.letter_keys', 'switch', true, null, null, null, null, '', 1],
  ['general.autostart', 'switch', false, null, null, null, null, '', 1],
  ['sources.settle_ms', 'number', 400, 50, 60000, 1, 'ms', '', 0],
  ['sources.rescan_minutes', 'number', 60, 1, 10080, 1, 'min', '', 0],
  ['sources.polling', 'switch', false, null, null, null, null, '', 0],
  ['sources.queue', 'number', 10000, 100, 1000000, 1, null, '', 0],
  ['engine.workers', 'number', 0, 0, 32, 1, null, '', 0],
  ['engine.device', 'text', 'CPU', null, null, null, null, '', 0],
  ['engine.precision', 'choice', 'auto', null, null, null, null, 'auto|f32|bf16|f16|int8|int8_bf16', 0],
  ['engine.max_memory_mb', 'number', 0, 0, 1048576, 1, 'MB', '', 1],
  ['engine.max_cores', 'number', 0, 0, 1024, 1, null, '', 1],
  ['engine.on_battery', 'choice', 'gentle', null, null, null, null, 'normal|gentle|pause', 1],
  ['engine.time_limit_s', 'number', 60, 2, 600, 1, 's', '', 0],
  ['engine.idle_s', 'number', 60, 1, 86400, 1, 's', '', 0],
  ['engine.max_megapixels', 'number', 200, 1, 1000, 1, 'MP', '', 0],
  ['engine.max_megabytes', 'number', 500, 1, 4096, 1, 'MB', '', 0],
  ['detection.min_score', 'number', 0.5, 0.1, 0.99, 0.01, null, '', 1],
  ['detection.min_face', 'number', 20, 8, 1000, 1, 'px', '', 1],
  ['recognition.enabled', 'switch', false, null, null, null, null, '', 1],
  ['recognition.certain', 'number', 0.95, 0, 2, 0.01, null, '', 0],
  ['recognition.probable', 'number', 1.05, 0, 2, 0.01, null, '', 0],
  ['library.key_home', 'choice', 'keyring', null, null, null, null, 'keyring|file', 0],
  ['library.grace_days', 'number', 30, 0, 3650, 1, 'd', '', 1],
  ['library.backups', 'number', 7, 0, 365, 1, null, '', 1],
  ['popup.enabled', 'switch', true, null, null, null, null, '', 1],
  ['popup.seconds', 'number', 12, 2, 3600, 1, 's', '', 1],
  ['popup.corner', 'choice', 'bottom-right', null, null, null, null, 'bottom-right|bottom-left|top-right|top-left', 1],
  ['popup.burst', 'number', 4, 2, 1000, 1, 'photos', '', 1],
  ['popup.quiet_from', 'text', '', null, null, null, null, '', 1],
  ['popup.quiet_until', 'text', '', null, null, null, null, '', 1],
  ['popup.quiet_fullscreen', 'switch', true, null, null, null, null, '', 1],
  ['popup.quiet_presenting', 'switch', true, null, null, null, null, '', 1],
  ['popup.keep_warm_s', 'number', 600, 0, 86400, 1, 's', '', 0],
  ['tray.enabled', 'switch', true, null, null, null, null, '', 1],
  ['api.port', 'number', 0, 0, 65535, 1, null, '', 0],
  ['logs.level', 'choice', 'info', null, null, null, null, 'debug|info|warning|error', 0],
  ['logs.max_mb', 'number', 10, 1, 1024, 1, 'MB', '', 0],
  ['logs.files', 'number', 5, 1, 100, 1, null, '', 0],
]
const SUGGESTED = { en: ['/home/mei/Pictures', '/home/mei/Downloads'], 'zh-CN': ['/home/mei/图片', '/home/mei/下载'] } as const
const OVERRIDDEN = 'engine.max_megapixels'

const SESSIONS: readonly SessionOut[] = [
  { number: 1, browser: 'Firefox', opened_at: '2026-11-20T09:12:00Z', seen_at: '2026-11-21T16:40:00Z', here: true },
  { number: 2, browser: '', opened_at: '2026-11-19T20:05:00Z', seen_at: '2026-11-19T20:31:00Z', here: false },
]

interface State {
  readonly values: Map<string, Value>
  folders: WatchedFolder[] | null
  welcomed: boolean
  chosen: WelcomeChoices | null
  quietUntil: string | null
  sessions: readonly SessionOut[]
}

const fresh = (): State => ({ values: new Map(), folders: null, welcomed: false, chosen: null, quietUntil: null, sessions: SESSIONS })
let state = fresh()
const watchers = new Set<(purged: boolean) => void>()

/** A page was opened with a scene: everything is as at first. */
export function resetSettings(): void {
  state = fresh()
}

/** Calls back whenever a setting or a quiet time changes, until the returned function is called; `purged` with recognition. */
export function onSettings(changed: (purged: boolean) => void): () => void {
  watchers.add(changed)
  return () => void watchers.delete(changed)
}

function word(language: Options['language'], key: string): string {
  const found = key.split('.').reduce<unknown>((section, part) => (section as Record<string, unknown> | undefined)?.[part], language === 'en' ? en.settings : zh.settings)
  return typeof found === 'string' ? found : key.split('.').at(-2) ?? key
}

function settingOf(row: Row, { language, scene }: Options): Setting {
  const [key, kind, initial, minimum, maximum, step, unit, choices, everyday] = row
  const start: Value = key === 'recognition.enabled' ? !['counts', 'first', 'empty'].includes(scene) : initial
  return {
    key,
    title: word(language, `${key}.title`),
    help: word(language, `${key}.help`),
    kind: kind as Setting['kind'],
    value: state.values.get(key) ?? start,
    default: initial,
    minimum,
    maximum,
    step,
    unit: unit === null ? null : word(language, `unit.${unit}`),
    choices: choices === '' ? [] : choices.split('|').map((value) => ({ value, title: word(language, `${key}.choice_${value}`) })),
    advanced: everyday === 0,
    overridden: key === OVERRIDDEN,
    variable: key === OVERRIDDEN ? `AI_POPUP__${key.replace('.', '__').toUpperCase()}_FILE` : null,
    also: word(language === 'en' ? 'zh-CN' : 'en', `${key}.title`),
    restart: key === 'api.port',
  }
}

function groups(options: Options): SettingGroup[] {
  const names = [...new Set(ROWS.map(([key]) => key.split('.')[0] ?? ''))]
  return names.map((name) => {
    const settings = ROWS.filter(([key]) => key.startsWith(`${name}.`)).map((row) => settingOf(row, options))
    return { name, title: word(options.language, `${name}.title`), advanced: settings.every(({ advanced }) => advanced), settings }
  })
}

const NO_COPIES = { redact_to: '', redact_style: 'solid', redact_keep: [], redact_strip: true, share: 'keep', share_into: '' } as const

function foldersOf(world: World): WatchedFolder[] {
  state.folders ??= world.status.folders.map(({ path }) => ({
    path,
    name: path.split('/').at(-1) ?? path,
    recursive: true,
    include: [],
    exclude: ['.*', '*.tmp', '*.part', '*.crdownload'],
    faces: true,
    recognition: true,
    muted: path.endsWith('scans'),
    names_in_sidecars: 'off',
    ...NO_COPIES,
  }))
  return state.folders
}

/** What the settings make of the chosen scene. */
export function applied(options: Options): Options {
  const language = state.values.get('general.language')
  const theme = state.values.get('general.theme')
  return {
    ...options,
    language: language === 'en' || language === 'zh-CN' ? language : options.language,
    theme: theme === 'auto' || theme === 'light' || theme === 'dark' ? theme : options.theme,
  }
}

export function appliedStatus(world: World): World {
  const recognition = state.values.get('recognition.enabled')
  const status = {
    ...world.status,
    recognition: typeof recognition === 'boolean' ? recognition : world.status.recognition,
    letter_keys: state.values.get('general.letter_keys') !== false,
    quiet_until: state.quietUntil ?? world.status.quiet_until ?? null,
  }
  return { ...world, status }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return parts.length > 0 ? (JSON.parse(Buffer.concat(parts).toString('utf8')) as Record<string, unknown>) : {}
}

function reference(page: string, options: Options): Reference {
  const words = (options.language === 'en' ? en : zh).reference
  if (page === 'errors') {
    const told = flatten((options.language === 'en' ? en : zh).errors)
    const codes = [...told.keys()].filter((key) => key.endsWith('.cause')).map((key) => key.slice(0, -'.cause'.length))
    const parts = codes.map((code) => ({ id: code, title: `\`${code}\``, text: [told.get(`${code}.cause`) ?? '', told.get(`${code}.remedy`) ?? ''], rows: [] }))
    return { title: words.errors, intro: [words.errors_intro], columns: [], parts }
  }
  const parts = groups(options).map(({ name, title, settings }) => ({
    id: name,
    title,
    text: [],
    rows: settings.map((setting) => ({ key: setting.key, default: `\`${JSON.stringify(setting.default)}\``, allowed: words.any, title: setting.title, help: setting.help })),
  }))
  const columns = [words.column_setting, words.column_default, words.column_allowed, words.column_help]
  return { title: words.settings, intro: [words.settings_where, words.settings_order, words.settings_home], columns, parts }
}

/** True if the call was about these things. */
export function answerSettings(request: IncomingMessage, response: ServerResponse, url: URL, world: World, options: Options): boolean {
  if (!/^\/api\/(about|help|settings|sessions|folders\/|first-run|recovery-code|quiet|burst)|^\/api\/folders$/.test(url.pathname)) return false
  // The list of folders with counts is the library's.
  if (/^\/api\/folders(\/inside)?$/.test(url.pathname) && request.method === 'GET') return false
  void bodyOf(request).then((body) => {
    const { status, answer } = reply(`${request.method} ${url.pathname}`, body, url, world, options)
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(answer === undefined ? undefined : JSON.stringify(answer))
    const purged = (request.method === 'PUT' && url.pathname.endsWith('/recognition.enabled') && body['value'] === false) || body['recognition'] === false
    watchers.forEach((changed) => changed(purged))
  })
  return true
}

interface Reply {
  readonly status: number
  readonly answer?: unknown
}

const DONE: Reply = { status: 204 }

function reply(call: string, body: Record<string, unknown>, url: URL, world: World, options: Options): Reply {
  const found = /^(GET|PUT|DELETE|POST) \/api\/settings\/([^/]+)(\/check)?$/.exec(call)
  if (found) return settingReply(found[1] ?? '', found[2] ?? '', found[3] !== undefined, body['value'] as Value, options)
  const guide = /^GET \/api\/help\/guide\/([a-z-]+)$/.exec(call)?.[1]
  if (guide !== undefined && pages().has(guide)) return { status: 200, answer: page(guide, options.language) }
  const help = /^GET \/api\/help\/(\w+)$/.exec(call)
  if (help) return { status: 200, answer: reference(help[1] ?? '', options) }
  const folders = foldersOf(world)
  const path = String(body['path'] ?? url.searchParams.get('path'))
  switch (call) {
    case 'GET /api/settings':
      return { status: 200, answer: { groups: groups(options), folders, path: '~/.config/ai-popup/settings.toml' } }
    case 'GET /api/about': {
      const { centerface, mobilefacenet } = (options.language === 'en' ? en : zh).models
      const [data, settings, logs] = ['~/.local/share/ai-popup', '~/.config/ai-popup/settings.toml', '~/.local/state/ai-popup/log'].map((place) => place.replace('~', '/home/mei')) as [string, string, string]
      return { status: 200, answer: { version: world.status.version, license: 'Apache-2.0', data, settings, logs, models: [centerface, mobilefacenet] } }
    }
    case 'POST /api/folders':
      state.folders = [...folders, { recursive: true, include: [], exclude: ['.*', '*.tmp'], faces: true, recognition: true, muted: false, names_in_sidecars: 'off', ...NO_COPIES, ...body, path, name: path.split('/').at(-1) ?? path }]
      return DONE
    case 'PATCH /api/folders':
      state.folders = folders.map((folder) => (folder.path === path ? { ...folder, ...body } : folder))
      return DONE
    case 'POST /api/folders/check': {
      const to = String(body['redact_to'] ?? '')
      const cause = options.language === 'en' ? '“redact_to” must be a folder outside the watched one.' : '“redact_to”应为受监视文件夹之外的文件夹。'
      return to !== '' && (!/^[/~]/.test(to) || `${to}/`.startsWith(`${path}/`)) ? { status: 422, answer: { code: 'settings.invalid', cause, remedy: '' } } : DONE
    }
    case 'DELETE /api/folders':
      state.folders = folders.filter((folder) => folder.path !== path)
      return { status: 200, answer: { photos: 27 } }
    case 'POST /api/folders/choose':
      if (options.scene === 'undialogued')
        return { status: 503, answer: { code: 'desktop.no_dialog', cause: 'No dialog can be shown here.', remedy: 'Type the path instead.' } }
      return { status: 200, answer: { path: options.language === 'en' ? '/home/mei/Pictures/Phone uploads' : '/home/mei/图片/手机上传' } }
    case 'POST /api/folders/estimate':
      return { status: 200, answer: { path, images: 4812, seconds: 218, more: false, network: path.includes('nas') } }
    case 'GET /api/first-run': {
      const needed = options.scene === 'first' && !state.welcomed
      const terms = options.language === 'en' ? en.models : zh.models
      return { status: 200, answer: { needed, recognition_terms: terms.mobilefacenet.terms, recovery_code: 'K7QF-2M9X-PD4R-8WTN-H3VC-6JZB', suggested: SUGGESTED[options.language], chosen: state.chosen } }
    }
    case 'PUT /api/first-run':
      state.chosen = body as unknown as WelcomeChoices
      return DONE
    case 'POST /api/first-run/done':
      state.welcomed = true
      return DONE
    case 'GET /api/sessions':
      return { status: 200, answer: { items: state.sessions } }
    case 'DELETE /api/sessions':
      state.sessions = []
      return { status: 200, answer: { count: 2 } }
    case 'DELETE /api/sessions/2':
      state.sessions = state.sessions.filter((session) => session.number !== 2)
      return { status: 200, answer: { count: 1 } }
    case 'GET /api/recovery-code':
      return { status: 200, answer: { code: 'K7QF-2M9X-PD4R-8WTN-H3VC-6JZB' } }
    case 'POST /api/quiet': {
      const minutes = body['minutes']
      state.quietUntil = typeof minutes === 'number' ? new Date(Date.now() + minutes * 60_000).toISOString() : null
      return DONE
    }
    default:
      return DONE
  }
}

function settingReply(method: string, key: string, check: boolean, value: Value, options: Options): Reply {
  const row = ROWS.find(([known]) => known === key)
  if (!row) return { status: 404, answer: { code: 'settings.unknown_key', cause: 'There is no such setting.', remedy: '' } }
  if (key === 'engine.device' && method !== 'DELETE' && !/^(AUTO|CPU|GPU|NPU)(\.\d+)?$/.test(String(value))) {
    const cause = options.language === 'en' ? '“engine.device” must be written like CPU, GPU, NPU.' : '“engine.device”应为类似这样的写法：CPU、GPU、NPU。'
    return { status: 422, answer: { code: 'settings.invalid', cause, remedy: '' } }
  }
  if (check) return DONE
  if (method === 'PUT') state.values.set(key, value)
  if (method === 'DELETE') state.values.delete(key)
  return { status: 200, answer: settingOf(row, options) }
}
