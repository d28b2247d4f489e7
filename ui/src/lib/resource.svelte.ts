/** Loads what a page shows: the value, whether it is loading, gone or failed, and reloading when something changed. */

import { untrack } from 'svelte'

import { ApiError } from '../api/client'
import type { Problem } from '../api/types'
import { app, type AppState } from './appState.svelte'

export abstract class Resource<Value> {
  /** null until it was loaded */
  value = $state.raw<Value | null>(null)
  /** There is no such thing, or no longer. */
  gone = $state(false)
  /** It could not be loaded, and is not known from before. */
  failed = $state(false)
  /** Why the last loading failed; null if it worked, or if the agent is away, which is said elsewhere. */
  error = $state.raw<Problem | null>(null)

  /** how often it was asked for, and which of these answers is shown */
  private asked = 0
  private answered = 0

  constructor(private readonly reader: Pick<AppState, 'read'>) {}

  get loading(): boolean {
    return this.value === null && !this.gone && !this.failed
  }

  /** What the agent has of it now; null if the answer is out of date and must not be shown. */
  protected abstract fetch(): Promise<Value | null>

  /** Takes an answer in. */
  protected take(value: Value): void {
    this.value = value
  }

  /** Loads it. Of several answers the one that was asked for last is shown, whichever comes last. */
  async read(): Promise<void> {
    const turn = ++this.asked
    await this.reader.read(async () => {
      try {
        const value = await this.fetch()
        if (turn < this.answered) return
        this.answered = turn
        this.error = null
        this.gone = false
        if (value !== null) this.take(value)
      } catch (error) {
        const missing = error instanceof ApiError && error.status === 404
        if (turn > this.answered) {
          this.error = error instanceof ApiError ? error.problem : null
          if (missing) this.answered = turn
          this.gone ||= missing
        }
        if (!missing) throw error
      }
    })
    this.failed = this.value === null && !this.gone
  }
}

/** A resource that one call loads. */
export class Fetched<Value> extends Resource<Value> {
  constructor(
    reader: Pick<AppState, 'read'>,
    private readonly call: () => Promise<Value>,
  ) {
    super(reader)
  }

  protected override fetch(): Promise<Value> {
    return this.call()
  }
}

/**
 * Keeps what a component shows up to date: loads it when the component appears and whenever something changed in the library. To be called
 * while the component is set up.
 */
export function follow(source: () => Pick<Resource<unknown>, 'read'>): void {
  $effect(() => {
    void app.changes
    const resource = source()
    untrack(() => void resource.read())
  })
}

/** Loads it every so many milliseconds as well, while `running` says so: of work in progress no event tells how far it is. */
export function poll(resource: Pick<Resource<unknown>, 'read'>, everyMs: number, running: () => boolean): void {
  const on = $derived(running())
  $effect(() => {
    if (!on) return
    const timer = setInterval(() => void untrack(() => resource.read()), everyMs)
    return () => clearInterval(timer)
  })
}
