/** The state that all pages share, fed by the event stream. Components read it and call its actions. */

import { Client, ApiError, Unreachable, SIGN_IN } from '../api/client'
import { followEvents, type Happened, type Seen } from '../api/events'
import { session } from '../api/pageSession'
import { rememberSeesPhotos } from '../api/prefetch'
import type { ImagePage, PersonOut, PlaceProblem, Problem, Status } from '../api/types'
import { AccountState } from './account.svelte'
import { coalesce } from './coalesce'
import { systemLanguage, texts, type Language } from './i18n'
import { typedTexts } from './typedText'

export type Connection = 'connecting' | 'live' | 'offline' | 'refused'

const PAGE = 60
const NEWEST = 8
const REFRESH_MS = 400
/** In a burst the lists may lag a little: the user looks at the summary. */
const REFRESH_BURST_MS = 2_000
const RATES_KEPT = 40
const CLOCK_MS = 20_000

export class AppState {
  connection = $state<Connection>('connecting')
  status = $state.raw<Status | null>(null)
  page = $state.raw<ImagePage | null>(null)
  /** the newest; `status.failed` says how many there are */
  problems = $state.raw<readonly PlaceProblem[]>([])
  people = $state.raw<readonly PersonOut[]>([])
  /** photos per second during this burst, oldest first */
  rates = $state.raw<readonly number[]>([])
  /** why the lists could not be read */
  unread = $state.raw<Problem | null>(null)
  /** why the last action did not work */
  failure = $state.raw<Problem | null>(null)
  now = $state(Date.now())
  /** what was deleted when recognition was last switched off */
  purged = $state.raw<{ readonly prints: number; readonly pictures: number } | null>(null)
  /** counts the readings of the lists: components that show other parts of the library load them again, too */
  changes = $state(0)

  /** the user, and what they may do */
  readonly account = new AccountState()
  /** A team's server wants a sign-in: the page has none yet, or its session has ended. Null otherwise. */
  signedOut = $state<'new' | 'ended' | null>(null)
  /** of the page that is shown; null for the program’s name alone */
  title = $state<string | null>(null)
  /** the agent's language, as it said when it refused this page */
  spoken = $state<Language | null>(null)

  language = $derived(this.status?.language ?? this.spoken ?? systemLanguage())
  t = $derived(texts(this.language))
  images = $derived(this.page?.items ?? [])
  loading = $derived(this.connection !== 'refused' && (this.status === null || (this.page === null && this.account.can('photos.read'))))

  /** What is said while nothing answers. A team's members can't start their server. */
  silence = $derived(
    this.account.team
      ? { title: this.t('ui.server_away.title'), cause: this.t('ui.server_away.cause'), text: this.t('ui.server_away.text') }
      : { title: this.t('ui.offline.title'), cause: this.t('ui.offline.cause'), text: this.t('ui.offline.text') },
  )

  /** watched folders that don't answer, and why */
  foldersAway = $derived((this.status?.folders ?? []).flatMap((folder) => (folder.problem ? [{ ...folder, problem: folder.problem }] : [])))

  /** until when no popup shows itself; null if it does */
  quiet = $derived.by((): Date | null => {
    const until = this.status?.quiet_until ?? null
    return until !== null && Date.parse(until) > this.now ? new Date(until) : null
  })

  /** Loads the lists again soon. */
  readonly refresh = coalesce(
    () => this.readLists(),
    () => (this.status?.burst ? REFRESH_BURST_MS : REFRESH_MS),
  )

  constructor(private readonly client: Client) {}

  /**
   * Follows the agent until the returned function is called.
   *
   * @param page if it is given, only while that can be seen
   */
  start(page: Seen | null = null): () => void {
    const clock = setInterval(() => (this.now = Date.now()), CLOCK_MS)
    const unfollow = followEvents(
      {
        connected: () => {
          this.connection = 'live'
          void this.readAccount()
          this.refresh()
        },
        status: (status) => this.take(status),
        happened: (event) => this.noticed(event),
        offline: () => (this.connection = 'offline'),
        refused: (error) => this.refuse(error),
      },
      this.client.status,
      page,
    )
    return () => {
      clearInterval(clock)
      unfollow()
    }
  }

  take(status: Status): void {
    const begins = status.burst !== null && this.status?.burst == null
    if (status.burst !== null) this.rates = [...(begins ? [] : this.rates), status.burst.rate].slice(-RATES_KEPT)
    // The problems come in words, so another language is another list.
    const listsChanged = (['failed', 'online_only', 'images', 'people', 'doubts', 'people_changed', 'recognition', 'language'] as const).some((part) => status[part] !== this.status?.[part])
    this.status = status
    this.now = Date.now()
    if (listsChanged) this.refresh()
  }

  noticed(event: Happened): void {
    if (event.kind === 'recognition_purged') this.purged = { prints: event.embeddings ?? 0, pictures: event.chips ?? 0 }
    this.refresh()
  }

  /** Loads who uses the page. An agent that knows no accounts belongs to the user of this computer. */
  async readAccount(): Promise<void> {
    await this.attempt(async () => {
      this.account.value = await this.client.account()
      if (this.account.team) rememberSeesPhotos(this.account.can('photos.read'))
    })
  }

  /** Loads the newest photos, the problems and the people, as far as the user may see them. */
  async readLists(): Promise<void> {
    if (!this.account.known) await this.readAccount()
    const { can } = this.account
    this.changes += 1
    await this.read(async () => {
      const recognition = this.status?.recognition ?? false
      const [page, problems, people] = await Promise.all([
        can('photos.read') ? this.client.images(PAGE) : null,
        can('system.read') ? this.client.places('problems', { limit: NEWEST }) : null,
        recognition && can('people.read') ? this.client.people() : [],
      ])
      this.page = page
      this.problems = problems?.items ?? []
      this.people = people
    })
  }

  dismiss = (): void => void (this.failure = null)
  togglePause = (): Promise<boolean> => this.act(this.status?.state === 'paused' ? this.client.resume : this.client.pause)
  retry = (): Promise<boolean> => this.act(this.client.retry)
  retryPlace = (placeId: number): Promise<boolean> => this.act(() => this.client.retryPlace(placeId))
  showPlace = (placeId: number): Promise<boolean> => this.act(() => this.client.showPlace(placeId))
  lookAtOnlineOnly = (): Promise<boolean> => this.act(this.client.lookAtOnlineOnly)
  rescan = (): Promise<boolean> => this.act(this.client.rescan)

  clearProblems = (): Promise<void> => this.clear(this.client.clearProblems)
  clearPlace = (placeId: number): Promise<void> => this.clear(() => this.client.clearPlace(placeId))

  private async clear(action: () => Promise<void>): Promise<void> {
    if (await this.act(action)) this.refresh()
  }

  openSettingsFile = (): Promise<boolean> => this.act(this.client.openSettingsFile)
  hidePopup = (): Promise<boolean> => this.act(this.client.hidePopup)
  /** Opens the browser at a place in the program, such as `photo-12`. */
  open = (place: string): Promise<boolean> => this.act(() => this.client.open(place))

  /** Runs an action of the user. A failure is shown until it is dismissed or an action works. Returns whether it worked. */
  async act(action: () => Promise<void>): Promise<boolean> {
    let worked = false
    this.failure = await this.attempt(async () => {
      await action()
      worked = true
    })
    return worked
  }

  /** Loads something to show. A failure is shown until loading works. */
  async read(reading: () => Promise<void>): Promise<void> {
    this.unread = await this.attempt(reading)
  }

  /** The problem that the API reported; null if it worked, or if the agent is away, which the event stream notices. */
  private async attempt(call: () => Promise<void>): Promise<Problem | null> {
    try {
      await call()
    } catch (error) {
      if (error instanceof Unreachable) return null
      if (!(error instanceof ApiError)) throw error
      if (error.status !== 401) return error.problem
      this.refuse(error)
    }
    return null
  }

  /** This page is not signed in, or no longer. */
  refuse({ problem, language }: ApiError): void {
    this.connection = 'refused'
    if (language !== null) this.spoken = language === 'en' || language === 'zh-CN' ? language : null
    if (problem.code !== SIGN_IN) return
    // While its fields are still there.
    if (this.signedOut === null && this.account.value !== null && globalThis.document) typedTexts.keep(this.account.value.id, document)
    this.signedOut ??= session.end() ? 'ended' : 'new'
  }
}

export const client = new Client()
export const app = new AppState(client)
