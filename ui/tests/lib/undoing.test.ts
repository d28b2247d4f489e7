import { describe, expect, it } from 'vitest'

import { ApiError } from '../../src/api/client'
import { undoing } from '../../src/lib/undoing'

const problem = { code: 'people.nothing_to_undo', cause: '', remedy: '', params: {} }
const app = { act: (action: () => Promise<void>): Promise<boolean> => action().then(() => true, () => false) }

describe('undoing a step', () => {
  it('says whether all of it, a part, or nothing was left to undo', async () => {
    expect(await undoing(app, () => Promise.resolve())).toBe(true)
    expect(await undoing(app, () => Promise.resolve({ partly: false }))).toBe(true)
    expect(await undoing(app, () => Promise.resolve({ partly: true }))).toBe('partly')
    expect(await undoing(app, () => Promise.reject(new ApiError(404, problem)))).toBe('gone')
    expect(await undoing(app, () => Promise.reject(new ApiError(500, problem)))).toBe(false)
  })
})
