/** Names that were begun and not yet given, by face: they outlive the card or page that they were typed on. */

import { SvelteMap } from 'svelte/reactivity'

/** The oldest is let go beyond this. */
export const MOST_DRAFTS = 50

export class Drafts {
  private readonly names = new SvelteMap<number, string>()

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
  }

  /** The first of the faces whose name was begun. */
  of(faces: readonly { readonly id: number }[]): number | null {
    return faces.find(({ id }) => this.names.has(id))?.id ?? null
  }
}

export const drafts = new Drafts()
