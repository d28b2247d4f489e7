/**
 * What proves to the agent that its user opened this page. A one-time code in the address is exchanged for a key, which every call carries,
 * and for a ticket, which stands in the addresses of what the browser loads by itself. Both are kept where only pages of this very address
 * and port can read them, in every tab: a cookie is sent to other users' servers on this computer, too.
 */

export interface Kept {
  readonly key: string
  readonly ticket: string
}

/** What is used of a browser's window. */
export interface Surroundings {
  readonly location: Pick<Location, 'hash' | 'pathname' | 'search' | 'reload'>
  readonly history: Pick<History, 'replaceState'>
  readonly localStorage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  addEventListener(event: 'storage', call: (event: Pick<StorageEvent, 'key' | 'newValue'>) => void): void
  addEventListener(event: 'hashchange', call: () => void): void
  fetch(path: string, init: RequestInit): Promise<Response>
}

const PLACE = 'session'
const CODE = /^#code=([\w-]+)(?:&at=(.*))?$/

/** Reading, and the search by a face; changes name what they change. */
const OF_A_LIBRARY = /^(GET \/api\/(library|albums|images|people|folders|doubts|groups|events|status)\b|GET \/api\/account$|POST \/api\/search\/face)/

/** Of a team's server with several libraries: the one that an address names; null for all. */
export function libraryOf(search: string): string | null {
  return /[?&]library=(\d{1,9})(&|$)/.exec(search)?.[1] ?? null
}

/** What a page's address keeps over a sign-in: which library, and where in the program. */
export function placeIn({ search, hash }: Pick<Location, 'search' | 'hash'>): string {
  const library = libraryOf(search)
  return `${library === null ? '' : `?library=${library}`}${hash}`
}

function withQuery(path: string, query: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}${query}`
}

export class PageSession {
  /** until the code in the address is exchanged; null if there is none, or no more */
  entering: Promise<void> | null = null
  /** the page shows what was read in a session that is over */
  ended = false
  private kept: Kept | null = null
  private readonly waiting: (() => void)[] = []

  /** @param page null outside of browsers */
  constructor(private readonly page: Surroundings | null) {
    if (page === null) return
    this.kept = read(this.stored())
    const [, code, at] = CODE.exec(page.location.hash) ?? []
    if (code !== undefined) this.entering = this.enter(page, code, at)
    page.addEventListener('storage', ({ key, newValue }) => {
      if (key === PLACE) this.take(read(newValue) ?? this.kept)
    })
    // A code in the address of a page that is open already: the page reloads with it.
    page.addEventListener('hashchange', () => {
      if (CODE.test(page.location.hash)) page.location.reload()
    })
  }

  /** `fetch` of the agent, with the key. */
  async ask(path: string, init: RequestInit = {}): Promise<Response> {
    await this.entering
    return (this.page ?? globalThis).fetch(this.within(path, init.method), this.signed(init))
  }

  /** What signs a call that isn't made by `fetch`. */
  headers(): Record<string, string> {
    return this.kept === null ? {} : { authorization: `Session ${this.kept.key}` }
  }

  /** The address of what the browser loads by itself: a picture, a stream, a download. */
  address(path: string): string {
    const within = this.within(path)
    return this.kept === null ? within : withQuery(within, `ticket=${this.kept.ticket}`)
  }

  /** Waits until a page of this address is signed in: for a window that is opened beside it. */
  async signedIn(): Promise<void> {
    await this.entering
    if (this.kept === null) await new Promise<void>((resolve) => this.waiting.push(resolve))
  }

  /** Takes the key that a server gave for a password or an invitation. */
  begin(kept: Kept): void {
    if (this.page !== null) this.keep(this.page, JSON.stringify({ key: kept.key, ticket: kept.ticket }))
  }

  /** Drops the key, which is worth nothing any more, and says whether there was one; what another tab was given meanwhile stays. */
  end(): boolean {
    const had = this.kept !== null
    this.ended = true
    try {
      if (this.page !== null && read(this.stored())?.key === this.kept?.key) this.page.localStorage.removeItem(PLACE)
    } catch {
      // Without storage there is nothing to remove.
    }
    this.kept = null
    return had
  }

  /** What is read of photos and people is of the library that the page's address names, if it does. */
  private within(path: string, method = 'GET'): string {
    const chosen = libraryOf(this.page?.location.search ?? '')
    return chosen === null || !OF_A_LIBRARY.test(`${method} ${path}`) ? path : withQuery(path, `library=${chosen}`)
  }

  private signed(init: RequestInit): RequestInit {
    const headers = new Headers(init.headers)
    if (this.kept !== null) headers.set('authorization', `Session ${this.kept.key}`)
    return { ...init, headers, credentials: 'same-origin' }
  }

  private async enter(page: Surroundings, code: string, at: string | undefined): Promise<void> {
    // It is worth nothing once it was used, but need not stand in the history either.
    page.history.replaceState(null, '', page.location.pathname + page.location.search + (at ? `#${at}` : ''))
    try {
      const body = JSON.stringify({ code })
      const answer = await page.fetch('/api/session', this.signed({ method: 'POST', headers: { 'content-type': 'application/json' }, body }))
      if (answer.ok) this.keep(page, await answer.text())
    } catch {
      // The agent is gone: the next call says so.
    }
    this.entering = null
  }

  private keep(page: Surroundings, text: string): void {
    this.take(read(text))
    try {
      page.localStorage.setItem(PLACE, text)
    } catch {
      // Without storage the session lasts until this tab is reloaded.
    }
  }

  private take(kept: Kept | null): void {
    this.kept = kept
    if (kept !== null) for (const resolve of this.waiting.splice(0)) resolve()
  }

  private stored(): string | null {
    try {
      return this.page?.localStorage.getItem(PLACE) ?? null
    } catch {
      return null
    }
  }
}

function read(text: string | null): Kept | null {
  try {
    const { key, ticket } = JSON.parse(text ?? '') as Partial<Kept>
    return typeof key === 'string' && typeof ticket === 'string' ? { key, ticket } : null
  } catch {
    return null
  }
}

export const session = new PageSession(typeof window === 'undefined' ? null : window)
