/** The made-up agent's report of itself. */

import type { FindingOut, HealthReport, HistoryPoint, Status, UpdateOut } from '../src/api/types.ts'
import type { Options } from './fixtures.ts'

const TERMS = {
  en: [
    'Finds faces. The weights are MIT licensed. They were trained on WIDER FACE, whose publishers mark the pictures as non-commercial; whether that also applies to the weights is unsettled.',
    'Tells faces apart; needed for recognition only. The weights are labelled Apache-2.0. They were trained on refined MS1M; its publisher calls models trained on it non-commercial.',
  ],
  'zh-CN': [
    '用于查找人脸。权重采用 MIT 许可。训练数据为 WIDER FACE，其发布者将图片标为非商业用途；这是否影响权重尚无定论。',
    '用于区分人脸，仅识别时需要。权重标为 Apache-2.0。训练数据为精简版 MS1M，其发布者称由此训练的模型不可商用。',
  ],
}

const FILING = {
  en: { cause: 'Face prints of about 104,213 different people are stored here.', remedy: 'In China this must be filed within 30 working days. See `docs/privacy.md`.' },
  'zh-CN': { cause: '这里保存了约 104,213 个不同的人的人脸特征。', remedy: '在中国，须在 30 个工作日内备案。详见 `docs/privacy.zh-CN.md`。' },
}

function history(scene: string): HistoryPoint[] {
  const now = Date.now()
  if (scene === 'empty') return []
  return Array.from({ length: 180 }, (_, index): HistoryPoint => {
    const busy = index < 70 ? index > 10 : index > 110
    const wave = Math.sin(index / 3) * 0.08 + Math.sin(index / 7) * 0.05
    return {
      at: new Date(now - (180 - index) * 10_000).toISOString(),
      agent_mb: 92,
      engine_mb: busy ? 420 + wave * 60 : 0,
      cpu_pct: busy ? 74 + wave * 60 : 2,
      images: busy ? Math.round(220 * (1 + wave)) : 0,
    }
  })
}

export function report({ scene, language }: Options): HealthReport {
  const samples = history(scene)
  const working = scene === 'burst'
  return {
    engine: {
      state: scene === 'paused' ? 'paused' : scene === 'attention' ? 'failed' : working ? 'working' : scene === 'empty' ? 'resting' : 'ready',
      processes: scene === 'empty' ? [] : [
        { pid: 4711, memory_mb: 214, device: 'CPU', precision: 'f32' },
        { pid: 4712, memory_mb: 207, device: 'CPU', precision: 'f32' },
      ],
      restarts: scene === 'failed' ? 2 : 0,
      device_note:
        scene !== 'failed'
          ? null
          : language === 'en'
            ? 'GPU gave different results from the processor, so the processor is used.'
            : 'GPU 的结果与处理器不一致，因此改用处理器。',
    },
    models: [
      { name: 'CenterFace', role: 'detector', state: 'present', licence: 'MIT', terms: TERMS[language][0] ?? '', sha256: '09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc' },
      { name: 'MobileFaceNet', role: 'embedder', state: scene === 'failed' ? 'damaged' : 'present', licence: 'Apache-2.0', terms: TERMS[language][1] ?? '', sha256: 'd8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b' },
    ],
    memory: { agent_mb: 92, engine_mb: scene === 'empty' ? 0 : 421, limit_mb: 600 },
    cpu: { agent_pct: 1, engine_pct: working ? 74 : 0, limit: 0 },
    history: samples,
    disk: { free: 214e9, library: 318e6, thumbnails: 1.2e9, backups: 640e6 },
    stages: scene === 'empty' ? null : { decode: 11.8, detect: 17.2, align: 0.9, embed: 9.4 },
    last_backup: scene === 'empty' ? null : new Date(Date.now() - 9 * 3_600_000).toISOString(),
    filing: scene === 'many' ? { code: 'people.filing_due', params: {}, ...FILING[language] } : null,
    power: { battery: scene === 'away', percent: scene === 'away' ? 64 : null },
  }
}

export function checks({ scene, language }: Options): FindingOut[] {
  const en = language === 'en'
  return [
    { name: 'settings', title: en ? 'Settings' : '设置', state: 'ok', text: '/home/you/.config/ai-popup/settings.toml', code: null },
    { name: 'disk', title: en ? 'Disk' : '磁盘', state: 'ok', text: '214.0 GB', code: null },
    {
      name: 'models',
      title: en ? 'Models' : '模型',
      state: scene === 'failed' ? 'failed' : 'ok',
      text: scene === 'failed' ? (en ? 'A model’s file is not the one it should be. Fetch it again.' : '模型文件与预期不符。请重新获取。') : 'centerface (MIT), mobilefacenet (Apache-2.0)',
      code: scene === 'failed' ? 'model.damaged' : null,
    },
    {
      name: 'wall',
      title: en ? 'Sandbox' : '隔离',
      state: scene === 'limited' ? 'warning' : 'ok',
      text:
        scene !== 'limited' ? 'Landlock 7, seccomp'
        : en ? 'The engine decodes photos in a process of its own, but this system does not keep that process from your files. Everything works. Until the sandbox is complete, keep photos from strangers out of the watched folders.'
        : '引擎在单独的进程中解码照片，但此系统不能阻止该进程接触你的文件。一切功能正常。在完全隔离之前，请不要把陌生人的照片放进监看的文件夹。',
      code: scene === 'limited' ? 'engine.open' : null,
    },
    { name: 'tray', title: en ? 'Tray icon' : '托盘图标', state: 'absent', text: en ? 'This desktop shows no tray icons. The popup works the same.' : '此桌面不显示托盘图标，弹窗照常工作。', code: 'desktop.no_tray' },
  ]
}

const TAKEN_BACK = {
  en: { cause: 'Version 0.3.0 didn’t start, so the previous version is back.', remedy: 'Nothing to do.' },
  'zh-CN': { cause: '版本 0.3.0 没能启动，已撤回。', remedy: '不需要做任何事。' },
}

let putAway = false
const listeners = new Set<() => void>()

export function resetUpdate(): void {
  putAway = false
}

export function onUpdate(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** In the scene `newer` another version waits, in `older` one was taken back. */
export function updateStatus({ scene, language }: Options): Pick<Status, 'update' | 'taken_back'> {
  const outcome = { code: 'update.rolled_back', params: {}, ...TAKEN_BACK[language] }
  return { update: scene === 'newer' ? '0.3.0' : null, taken_back: scene === 'older' && !putAway ? outcome : null }
}

export function update(options: Options, method: string | undefined): UpdateOut {
  if (method === 'DELETE') {
    putAway = true
    for (const listener of listeners) listener()
  }
  const { update: version = null, taken_back: outcome = null } = updateStatus(options)
  const news = version === null ? null : options.language === 'en' ? 'Photos open faster, and albums of scans are read.' : '照片打开更快，并能读取扫描相册。'
  const rest = { wanted: true, channel: 'stable', checked_at: new Date().toISOString(), command: null, problem: null } as const
  return { step: version === null ? 'current' : 'ready', version, news, outcome, ...rest }
}
