/** Names given to faces of a photo before the agent's answer shows them, so that the next face is asked about at once. */

import { SvelteMap } from 'svelte/reactivity'

import type { FaceOut } from '../api/types'
import { edits, type Edits } from './edits.svelte'
import { nameDrafts, type NameDrafts } from './nameDrafts.svelte'

interface Given {
  readonly name: string
  /** the next reading of the photo has it */
  readonly saved: boolean
}

export class Naming {
  private readonly given = new SvelteMap<number, Given>()

  constructor(
    private readonly edits: Pick<Edits, 'name'>,
    private readonly nameDrafts: Pick<NameDrafts, 'set'>,
  ) {}

  /** Saves behind what the user does next; a name that was refused is in its field again. */
  async give(faceId: number, name: string): Promise<void> {
    this.given.set(faceId, { name, saved: false })
    this.nameDrafts.set(faceId, '')
    const done = await this.edits.name([faceId], name)
    if (done !== null) {
      this.given.set(faceId, { name, saved: true })
      return
    }
    this.given.delete(faceId)
    this.nameDrafts.set(faceId, name)
  }

  /** The faces with the names they were given. */
  applied(faces: readonly FaceOut[]): readonly FaceOut[] {
    return faces.map((face) => {
      const given = this.given.get(face.id)
      return given === undefined ? face : { ...face, person: given.name, certainty: 'confirmed' as const }
    })
  }

  /** The photo was loaded again: names that are saved by now are in it, or were undone. */
  read(faces: readonly FaceOut[]): void {
    for (const { id } of faces) if (this.given.get(id)?.saved) this.given.delete(id)
  }
}

export const naming = new Naming(edits, nameDrafts)
