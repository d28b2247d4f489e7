import { describe, expect, it } from 'vitest'

import type { Params } from '../../src/lib/i18n'
import { cardOf, type Card, type PopupState } from '../../src/popup/card'
import { lineText } from '../../src/popup/lineText'
import { face, failed, image } from '../fixtures'

const BURST = { done: 3, total: 20, rate: 1, seconds_left: 17, faces: 2, people: 0, failed: 0 }
const FINISHED = { photos: 20, with_faces: 9, people: 0, failed: 0 }
const PROBLEM = { code: 'models.missing', cause: 'A model is missing.', remedy: 'Download it.' }
const PHOTO = image(7, { folder: 'phone' })
const FAILED = failed(70, 1)

const IDLE: PopupState = {
  connection: 'live',
  loading: false,
  captures: 0,
  reviewFailed: false,
  problem: null,
  onboarding: false,
  paused: false,
  queued: 4,
  folders: [{ name: 'phone' }, { name: 'camera' }],
  burst: null,
  finished: null,
  item: undefined,
}
const EVERYTHING: Partial<PopupState> = { captures: 1, problem: PROBLEM, onboarding: true, burst: BURST, finished: FINISHED, item: { kind: 'photo', image: PHOTO } }

/** Texts as their keys, whatever the catalogue says. */
const t = (key: string, params: Params = {}): string => (key === 'ui.list_separator' ? ' + ' : [key, ...Object.values(params)].join(' '))
const APP = { t, now: Date.parse(PHOTO.indexed_at) + 300_000, language: 'en' } as const

const cardIn = (state: Partial<PopupState>): Card => cardOf({ ...IDLE, ...state })
const head = ({ title, subtitle }: Card): string[] => [title, subtitle].map((line) => lineText(line, APP))
const buttons = (card: Card): string[] => card.buttons.map(({ text }) => lineText(text, APP))

describe('the card', () => {
  it.each<[string, Partial<PopupState>, string]>([
    ['nothing is known yet', { loading: true, ...EVERYTHING }, 'waiting'],
    ['the agent is away', { connection: 'offline', ...EVERYTHING }, 'waiting'],
    ['the page is not signed in', { connection: 'refused', ...EVERYTHING }, 'waiting'],
    ['a capture waits for review', EVERYTHING, 'capture'],
    ['the review could not be loaded', { ...EVERYTHING, reviewFailed: true }, 'problem'],
    ['something stops the work', { ...EVERYTHING, captures: 0 }, 'problem'],
    ['the user is new here', { ...EVERYTHING, captures: 0, problem: null }, 'onboarding'],
    ['a burst is under way', { burst: BURST, finished: FINISHED, item: { kind: 'photo', image: PHOTO } }, 'progress'],
    ['a burst has ended', { finished: FINISHED, item: { kind: 'photo', image: PHOTO } }, 'finished'],
    ['a photo was scanned', { item: { kind: 'photo', image: PHOTO } }, 'photo-7'],
    ['a file could not be', { item: { kind: 'failed', file: FAILED } }, 'failed-70'],
    ['there is nothing', {}, 'empty'],
  ])('is chosen by what matters most when %s', (_, state, id) => {
    expect(cardIn(state).id).toBe(id)
  })

  it.each<[string, Partial<PopupState>, readonly [string, string]]>([
    ['waiting', { loading: true }, ['app.name', '']],
    ['a capture', { captures: 1 }, ['ui.popup.capture', '']],
    ['a problem', { problem: PROBLEM }, ['ui.state.attention', 'ui.waiting 4']],
    ['a burst', { burst: BURST }, ['ui.burst.title', 'phone + camera']],
    ['a burst that is paused', { burst: BURST, paused: true }, ['ui.state.paused', 'phone + camera']],
    ['a photo without faces', { item: { kind: 'photo', image: PHOTO } }, ['ui.no_face.title', 'ui.where_when phone 5 min ago']],
    ['a file', { item: { kind: 'failed', file: FAILED } }, ['ui.problems.card', '5 min ago']],
    ['a photo with faces', { item: { kind: 'photo', image: image(7, { folder: 'phone', faces: [face(), face()] }) } }, ['ui.faces 2', 'ui.where_when phone 5 min ago']],
  ])('has a title and a subtitle for %s', (_, state, expected) => {
    expect(head(cardIn(state))).toEqual(expected)
  })

  it.each<[string, Partial<PopupState>, readonly string[], string]>([
    ['a burst', { burst: BURST }, ['ui.popup.stay_quiet'], 'photos'],
    ['what came of it', { finished: FINISHED }, ['ui.burst.show_photos', 'ui.burst.newest'], 'photos'],
    ['what failed of it', { finished: { ...FINISHED, failed: 1 } }, ['ui.burst.show_photos', 'ui.burst.see_why', 'ui.burst.newest'], 'photos'],
    ['a file', { item: { kind: 'failed', file: FAILED } }, ['ui.problems.clear', 'ui.burst.see_why'], 'problems/70'],
    ['a photo', { item: { kind: 'photo', image: PHOTO } }, [], 'photo-7'],
  ])('has the buttons and the place of %s', (_, state, expected, place) => {
    expect([buttons(cardIn(state)), cardIn(state).place]).toEqual([expected, place])
  })

  it('stays while a capture is reviewed or the user is new, and is paged only among photos and files', () => {
    const flags = (state: Partial<PopupState>): readonly boolean[] => [cardIn(state).stays, cardIn(state).paged]
    expect(flags({ captures: 1 })).toEqual([true, false])
    expect(flags({ onboarding: true })).toEqual([true, false])
    expect(flags({ burst: BURST })).toEqual([false, false])
    expect(flags({ item: { kind: 'photo', image: PHOTO } })).toEqual([false, true])
    expect(flags({ item: { kind: 'failed', file: FAILED } })).toEqual([false, true])
  })

  it('offers in its footer what can be done meanwhile', () => {
    expect(cardIn({ loading: true }).footer).toEqual({ open: false, cancel: false, pause: false })
    expect(cardIn({ captures: 1, paused: true }).footer).toEqual({ open: false, cancel: false, pause: false })
    expect(cardIn({ burst: BURST }).footer).toEqual({ open: true, cancel: true, pause: true })
    expect(cardIn({ item: { kind: 'photo', image: PHOTO }, paused: true }).footer).toEqual({ open: false, cancel: false, pause: true })
    expect(cardIn({}).footer).toEqual({ open: true, cancel: false, pause: false })
  })

  it('says the cause of a problem, what to do, and its code', () => {
    const { picture } = cardIn({ problem: PROBLEM })
    if (picture.kind !== 'message') throw new Error(picture.kind)
    expect([lineText(picture.title, APP), lineText(picture.text, APP), picture.code]).toEqual([PROBLEM.cause, PROBLEM.remedy, PROBLEM.code])
  })

  it('names what came of a burst', () => {
    const { picture } = cardIn({ finished: { ...FINISHED, people: 3, failed: 2 } })
    if (picture.kind !== 'message') throw new Error(picture.kind)
    expect(lineText(picture.text, APP)).toBe('ui.burst.with_faces 9 + ui.burst.known 3 + ui.burst.failed 2')
  })
})
