import type { Problem } from '../api/types'
import { app } from '../lib/appState.svelte'
import { refusal } from './teamState'

/** What the link of a page before sign-in leads to. */
export class Linked<T> {
  value = $state.raw<T | null>(null)
  /** the link is good no more, or the server is away */
  useless = $state.raw<Problem | null>(null)

  constructor(private readonly get: () => Promise<T>) {}

  async read(): Promise<void> {
    this.useless = await refusal(async () => void (this.value = await this.get()))
  }
}

/** Reads it again whenever the link changes, or the language: its errors come in words. */
export function followLink<T>(get: () => Promise<T>): Linked<T> {
  const linked = new Linked(get)
  $effect(() => {
    void app.language
    void linked.read()
  })
  return linked
}
