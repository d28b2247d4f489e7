/** The made-up agent's lists of files that were not looked at: a page of as many as the status says. */

import type { PlaceProblem, PlaceProblems } from '../src/api/types'
import type { Language } from '../src/lib/i18n'
import type { World } from './fixtures.ts'

const ONLINE: Record<Language, { readonly cause: string; readonly remedy: string }> = {
  en: { cause: 'The file’s content is in the cloud only.', remedy: 'Look at it, and the system downloads it.' },
  'zh-CN': { cause: '文件内容只在云端。', remedy: '选择查看，系统就会下载它。' },
}

/** Page of `/api/problems` or `/api/online-only`. */
export function placesPage({ status, problems }: World, kind: 'problems' | 'online-only', query: URLSearchParams): PlaceProblems {
  const folder = query.get('folder')
  const total = folder !== null && folder !== '/photos/phone' ? 0 : kind === 'problems' ? status.failed : status.online_only
  const offset = Number(query.get('offset') ?? 0)
  const count = Math.max(0, Math.min(Number(query.get('limit') ?? 100), total - offset))
  const made = (index: number): PlaceProblem => (kind === 'problems' ? problem(problems, index) : onlineOnly(status.language, index))
  return { items: Array.from({ length: count }, (_, place) => made(offset + place)), total }
}

function problem(problems: World['problems'], index: number): PlaceProblem {
  const like = problems[index % problems.length] as PlaceProblem
  return index < problems.length ? like : { ...like, place_id: index + 1, name: `DSC_${String(index).padStart(5, '0')}.JPG` }
}

function onlineOnly(language: Language, index: number): PlaceProblem {
  const name = `IMG_${5_000 + index}.HEIC`
  const at = new Date(Date.now() - index * 60_000).toISOString()
  return {
    place_id: 50_000 + index,
    name,
    path: `/home/mei/OneDrive/${language === 'en' ? 'Pictures/Camera roll' : '图片/本机照片'}/${name}`,
    quarantined: false,
    action: 'retry',
    at,
    problem: { params: {}, code: 'image.online_only', ...ONLINE[language] },
  }
}
