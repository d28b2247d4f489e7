/**
 * Names that were typed and not yet saved, by face. They outlive the card or page that they were typed on. The agent keeps them, too, since the
 * popup's process is ended to save memory.
 */

import { SvelteMap } from 'svelte/reactivity'

import type { Client } from '../api/client'
import { client } from '../lib/appState.svelte'

/** The oldest is let go beyond this. */
export const MOST_DRAFTS = 50
/** Between two calls: a team's server writes each to its database. */
const PAUSE_MS = 300

export class NameDrafts {
  private readonly names = new SvelteMap<number, string>()
  /** what the agent is not told yet */
  private readonly untold = new Map<number, string>()
  private telling = false

  constructor(private readonly agent: Pick<Client, 'drafts' | 'keepDraft'>) {}

  /** Takes up what was begun before this page; without the agent it is a page like any other. */
  async read(): Promise<void> {
    const begun = await this.agent.drafts().catch(() => [])
    for (const { face_id, name } of begun) if (!this.names.has(face_id)) this.names.set(face_id, name)
  }

  get(faceId: number): string {
    return this.names.get(faceId) ?? ''
  }

  set(faceId: number, name: string): void {
    this.names.delete(faceId)
    if (name !== '') this.names.set(faceId, name)
    for (const oldest of this.names.keys()) {
      if (this.names.size <= MOST_DRAFTS) break
      this.names.delete(oldest)
    }
    this.untold.set(faceId, name)
    void this.tell()
  }

  /** One after the other, or an older one might come last. */
  private async tell(): Promise<void> {
    if (this.telling) return
    this.telling = true
    for (const [faceId, name] of this.untold) {
      this.untold.delete(faceId)
      await this.agent.keepDraft(faceId, name).catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
    this.telling = false
  }

  /** The first of the faces whose name was begun. */
  of(faces: readonly { readonly id: number }[]): number | null {
    return faces.find(({ id }) => this.names.has(id))?.id ?? null
  }
}

export const nameDrafts = new NameDrafts(client)
