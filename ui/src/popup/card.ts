/** What the popup shows, as a function of what is known: title, picture or message, buttons, and the way to the same place in the browser. */

import type { Burst, Finished, FolderState, ImageOut, PlaceProblem, Problem } from '../api/types'
import type { Connection } from '../lib/appState.svelte'
import type { Params } from '../lib/i18n'
import { PROBLEM_ACTIONS } from '../library/problemAction'
import type { QueueItem } from './queueItems'

export interface PopupState {
  readonly connection: Connection
  /** status, lists or name drafts are still being loaded */
  readonly loading: boolean
  /** captures of the screen that wait for review */
  readonly captures: number
  /** what the review of a capture needs could not be loaded */
  readonly reviewFailed: boolean
  /** why nothing is scanned, or the lists could not be loaded */
  readonly problem: Pick<Problem, 'code' | 'cause' | 'remedy'> | null
  readonly onboarding: boolean
  readonly paused: boolean
  /** photos that wait */
  readonly queued: number
  readonly folders: readonly Pick<FolderState, 'name'>[]
  readonly burst: Burst | null
  readonly finished: Finished | null
  readonly item: QueueItem | undefined
}

/** A text of the catalogue, words that the agent gave, a time as "5 min ago", a sentence of a cause and its remedy, or several in a row. */
export type Line =
  | { readonly key: string; readonly params?: Params }
  | { readonly words: string }
  | { readonly ago: string; readonly folder?: string }
  | { readonly cause: string; readonly remedy: string }
  | { readonly list: readonly Line[] }

export type Action =
  | { readonly do: 'go'; readonly place: string }
  | { readonly do: 'mend'; readonly file: PlaceProblem }
  | { readonly do: 'showNewest' }
  | { readonly do: 'doNotDisturb' }

export interface CardButton {
  readonly text: Line
  readonly action: Action
  readonly quiet: boolean
}

export type Picture =
  | { readonly kind: 'photo'; readonly image: ImageOut }
  | { readonly kind: 'progress'; readonly burst: Burst }
  | { readonly kind: 'message'; readonly icon: 'attention' | 'done' | 'file'; readonly title: Line; readonly text: Line; readonly code: string | null; readonly quarantined: boolean }
  /** loading, offline, not signed in, or nothing to show yet */
  | { readonly kind: 'empty' }
  | { readonly kind: 'capture' }
  | { readonly kind: 'onboarding' }

export interface Card {
  /** another one is another card, with nothing of the one before */
  readonly id: string
  readonly title: Line
  readonly subtitle: Line
  readonly picture: Picture
  readonly buttons: readonly CardButton[]
  /** where the browser shows the same */
  readonly place: string
  /** Nothing is known yet: the card has no menu, notes or buttons. */
  readonly waiting: boolean
  /** The popup doesn't hide by itself. */
  readonly stays: boolean
  /** Arrow keys and the pager turn to other cards. */
  readonly paged: boolean
  readonly footer: { readonly open: boolean; readonly cancel: boolean; readonly pause: boolean }
}

const NOTHING: Line = { words: '' }
const NAME: Line = { key: 'app.name' }

const button = (text: Line, action: Action, quiet = false): CardButton => ({ text, action, quiet })
const go = (key: string, place: string, quiet = false): CardButton => button({ key }, { do: 'go', place }, quiet)

export function cardOf(state: PopupState): Card {
  const { connection, problem, paused, burst, finished, item } = state
  const card = (id: string, picture: Picture, over: Partial<Card> = {}): Card => ({
    id,
    title: NAME,
    subtitle: NOTHING,
    picture,
    buttons: [],
    place: 'photos',
    waiting: false,
    stays: false,
    paged: false,
    footer: { open: true, cancel: false, pause: paused },
    ...over,
  })
  const NO_FOOTER = { open: false, cancel: false, pause: false }

  if (connection === 'offline' || connection === 'refused' || state.loading) return card('waiting', { kind: 'empty' }, { waiting: true, footer: NO_FOOTER })
  // The user has just taken it: everything else waits behind it, until they end the review.
  if (state.captures > 0 && !state.reviewFailed) return card('capture', { kind: 'capture' }, { title: { key: 'ui.popup.capture' }, stays: true, footer: NO_FOOTER })
  if (problem !== null) {
    return card('problem', message('attention', { words: problem.cause }, { words: problem.remedy }, problem.code), {
      title: { key: 'ui.state.attention' },
      subtitle: { key: 'ui.waiting', params: { count: state.queued } },
    })
  }
  if (state.onboarding) return card('onboarding', { kind: 'onboarding' }, { stays: true })
  if (burst !== null) {
    return card('progress', { kind: 'progress', burst }, {
      title: { key: paused ? 'ui.state.paused' : 'ui.burst.title' },
      subtitle: { list: state.folders.map(({ name }) => ({ words: name })) },
      buttons: [button({ key: 'ui.popup.stay_quiet' }, { do: 'doNotDisturb' }, true)],
      footer: { open: true, cancel: true, pause: true },
    })
  }
  if (finished !== null) return card('finished', whatCameOf(finished), { buttons: afterBurst(finished) })
  if (item?.kind === 'photo') {
    const { image } = item
    const faces = image.faces.length
    return card(`photo-${image.id}`, { kind: 'photo', image }, {
      title: faces > 0 ? { key: 'ui.faces', params: { count: faces } } : { key: 'ui.no_face.title' },
      subtitle: { ago: image.indexed_at, folder: image.folder },
      place: `photo-${image.id}`,
      paged: true,
      // Its menu opens the browser: beside its main button there is no room.
      footer: { open: false, cancel: false, pause: paused },
    })
  }
  if (item?.kind === 'failed') {
    const { file } = item
    const place = `problems/${file.place_id}`
    return card(`failed-${file.place_id}`, message('file', { words: file.name }, { cause: file.problem.cause, remedy: file.problem.remedy }, file.problem.code, file.quarantined), {
      title: { key: 'ui.problems.card' },
      subtitle: { ago: file.at },
      buttons: [button({ key: PROBLEM_ACTIONS[file.action] }, { do: 'mend', file }), go('ui.burst.see_why', place, true)],
      place,
      paged: true,
    })
  }
  return card('empty', { kind: 'empty' })
}

function message(icon: 'attention' | 'done' | 'file', title: Line, text: Line, code: string | null = null, quarantined = false): Picture {
  return { kind: 'message', icon, title, text, code, quarantined }
}

function whatCameOf({ photos, with_faces, people, failed }: Finished): Picture {
  const faces: Line = with_faces > 0 ? { key: 'ui.burst.with_faces', params: { count: with_faces } } : { key: 'ui.no_face.title' }
  return message('done', { key: 'ui.burst.done', params: { count: photos } }, { list: [faces, ...counted('ui.burst.known', people), ...counted('ui.burst.failed', failed)] })
}

function counted(key: string, count: number): readonly Line[] {
  return count > 0 ? [{ key, params: { count } }] : []
}

function afterBurst({ failed }: Finished): readonly CardButton[] {
  return [go('ui.burst.show_photos', 'photos'), ...(failed > 0 ? [go('ui.burst.see_why', 'problems')] : []), button({ key: 'ui.burst.newest' }, { do: 'showNewest' }, true)]
}
