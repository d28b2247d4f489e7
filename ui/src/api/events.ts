/** The agent's event stream. It reconnects after the agent was gone. */

import { ApiError, SIGN_IN } from './client'
import { session } from './pageSession'
import type { Status } from './types'

export interface Happened {
  readonly kind: string
  /** face prints and pictures of faces that were deleted with recognition */
  readonly embeddings?: number | null
  readonly chips?: number | null
}

export interface Listener {
  /** the stream is connected; what was missed meanwhile must be loaded again */
  connected(): void
  status(status: Status): void
  /** something changed in the library, which must be loaded again */
  happened(event: Happened): void
  offline(): void
  /** not signed in, or no longer */
  refused(error: ApiError): void
}

const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 10_000

/** So often the clock is looked at; one that jumped has slept, and with it the stream, which then may never say that it is broken. */
const TICK_MS = 5_000
const SLEPT_MS = 20_000

/** The document, which says whether the page is visible. */
export interface Seen {
  readonly visibilityState: string
  addEventListener(event: 'visibilitychange', call: () => void): void
  removeEventListener(event: 'visibilitychange', call: () => void): void
}

/** The window. */
export interface Network {
  addEventListener(event: 'online', call: () => void): void
  removeEventListener(event: 'online', call: () => void): void
}

/**
 * Follows `/api/events` until the returned function is called.
 *
 * The browser reconnects a broken stream itself but says nothing of the reason, so a broken stream is closed, `probe` asks the
 * API why, and the next try comes after a wait that doubles up to ten seconds.
 *
 * @param page if it is given, nothing is followed while that can't be seen: a browser has six connections to one address for all of its tabs, and
 * with six streams open no tab would get another answer
 * @param network says when there is one again
 */
export function followEvents(listener: Listener, probe: () => Promise<Status>, page: Seen | null = null, network: Network | null = globalThis.window ?? null): () => void {
  let source: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let wait = FIRST_WAIT_MS
  let ended = false

  const open = (): void => {
    if (page?.visibilityState === 'hidden') return
    if (session.entering !== null) {
      void session.entering.then(() => source === null && !ended && open())
      return
    }
    const stream = new EventSource(session.address('/api/events'))
    source = stream
    stream.addEventListener('open', () => {
      wait = FIRST_WAIT_MS
      listener.connected()
    })
    stream.addEventListener('status', (message) => listener.status(JSON.parse(message.data) as Status))
    stream.addEventListener('happened', (message) => listener.happened(JSON.parse(message.data) as Happened))
    stream.addEventListener('error', () => void broken(stream))
  }

  const broken = async (stream: EventSource): Promise<void> => {
    stream.close()
    try {
      listener.status(await probe())
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) listener.refused(error)
      else listener.offline()
      // Only a sign-in changes that, and the page begins anew with it.
      if (error instanceof ApiError && error.problem.code === SIGN_IN) return
    }
    if (ended || source !== stream) return
    timer = setTimeout(open, wait)
    wait = Math.min(wait * 2, LONGEST_WAIT_MS)
  }

  const rest = (): void => {
    clearTimeout(timer)
    source?.close()
    source = null
  }

  const looked = (): void => {
    rest()
    open()
  }

  let ticked = Date.now()
  const clock = setInterval(() => {
    const now = Date.now()
    const slept = now - ticked > SLEPT_MS
    ticked = now
    if (slept) looked()
  }, TICK_MS)

  page?.addEventListener('visibilitychange', looked)
  network?.addEventListener('online', looked)
  open()
  return () => {
    ended = true
    clearInterval(clock)
    page?.removeEventListener('visibilitychange', looked)
    network?.removeEventListener('online', looked)
    rest()
  }
}
