import { describe, expect, it, vi } from 'vitest'

import { Unreachable } from '../../src/api/client'
import type { Draft } from '../../src/api/types'
import { actionOf } from '../../src/library/problemAction'
import { NameDrafts, MOST_DRAFTS } from '../../src/people/nameDrafts.svelte'
import { failed } from '../fixtures'

const agent = (begun: readonly Draft[] = []) => ({ drafts: vi.fn(() => Promise.resolve(begun)), keepDraft: vi.fn((_: number, __: string) => Promise.resolve()) })

describe('Drafts', () => {
  it('remember what was begun, until it is emptied', () => {
    const drafts = new NameDrafts(agent())
    drafts.set(7, 'Me')
    expect([drafts.get(7), drafts.get(8), drafts.of([{ id: 8 }, { id: 7 }])]).toEqual(['Me', '', 7])
    drafts.set(7, '')
    expect([drafts.get(7), drafts.of([{ id: 7 }])]).toEqual(['', null])
  })

  it('are not more than a few: the oldest goes', () => {
    const drafts = new NameDrafts(agent())
    for (let id = 0; id < MOST_DRAFTS; id += 1) drafts.set(id, 'x')
    drafts.set(0, 'xy')
    drafts.set(MOST_DRAFTS, 'x')
    expect([drafts.get(0), drafts.get(1), drafts.get(2)]).toEqual(['xy', '', 'x'])
  })
})

describe('Drafts and the agent', () => {
  it('tells it the first letter at once, then what was typed meanwhile, the last word last', async () => {
    vi.useFakeTimers()
    const keeper = agent()
    const drafts = new NameDrafts(keeper)
    for (const name of ['M', 'Me', 'Mei']) drafts.set(7, name)
    drafts.set(8, 'L')
    expect(keeper.keepDraft.mock.calls).toEqual([[7, 'M']])
    await vi.runAllTimersAsync()
    expect(keeper.keepDraft.mock.calls).toEqual([[7, 'M'], [7, 'Mei'], [8, 'L']])
    drafts.set(7, '')
    expect(keeper.keepDraft.mock.lastCall).toEqual([7, ''])
    await vi.runAllTimersAsync()
    vi.useRealTimers()
    expect(keeper.keepDraft).toHaveBeenCalledTimes(4)
  })

  it('takes up what was begun in a window that is gone, but not over what is typed here', async () => {
    const drafts = new NameDrafts(agent([{ face_id: 7, name: 'Mei' }, { face_id: 8, name: 'Li' }]))
    drafts.set(8, 'Lin')
    await drafts.read()
    expect([drafts.get(7), drafts.get(8)]).toEqual(['Mei', 'Lin'])
  })

  it('goes on without it', async () => {
    const drafts = new NameDrafts({ drafts: () => Promise.reject(new Unreachable()), keepDraft: () => Promise.reject(new Unreachable()) })
    await drafts.read()
    drafts.set(7, 'Mei')
    expect(drafts.get(7)).toBe('Mei')
  })
})

describe('the button of a failed file', () => {
  it('does what it says, to this file alone', () => {
    const app = { t: (key: string): string => key, retryPlace: vi.fn(), showPlace: vi.fn(), clearPlace: vi.fn() }
    const go = vi.fn()
    const press = (action: 'retry' | 'show' | 'settings' | 'clear'): string | undefined => {
      const found = actionOf({ ...failed(70, 1), action }, app, go)
      found?.run()
      return found?.title
    }
    expect([press('retry'), press('show'), press('settings'), press('clear')]).toEqual(['ui.problems.retry', 'ui.problems.show', 'ui.problems.settings', 'ui.problems.clear'])
    expect([app.retryPlace, app.showPlace, go, app.clearPlace].map(({ mock }) => mock.calls)).toEqual([[[70]], [[70]], [['settings']], [[70]]])
  })
})
