/** Answers of the made-up server, and points in time around now. */

import type { Problem } from '../src/api/types.ts'
import type { Options } from './fixtures.ts'

export const DAY = 86_400_000

export const ago = (ms: number): string => new Date(Date.now() - ms).toISOString()

export const day = (days: number): string => new Date(Date.now() + days * DAY).toISOString().slice(0, 10)

export interface Reply {
  readonly status: number
  readonly answer?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export const OK: Reply = { status: 204 }
export const is = (answer: unknown): Reply => ({ status: 200, answer })

export function problem(status: number, code: string, { language }: Options, en: readonly [string, string], zh: readonly [string, string], params: Record<string, unknown> = {}): Reply {
  const [cause, remedy] = language === 'en' ? en : zh
  return { status, answer: { code, cause, remedy, params } }
}

/** The same in one language, for what no test reads. */
export const refuse = (status: number, code: string, cause: string): Reply => ({ status, answer: { code, cause, remedy: '', params: {} } satisfies Problem })

export const databaseAway = (options: Options): Reply =>
  problem(503, 'store.unavailable', options, ['The database doesn’t answer.', 'It is tried again.'], ['数据库没有响应。', '稍后会自动重试。'])
