import * as teamPage from 'virtual:texts/team_page'
import { describe, expect, it, vi } from 'vitest'

import { ApiError } from '../../src/api/client'
import type { Edited, Problem, ReferenceOut, ReferencesOut } from '../../src/api/types'
import { extend, texts } from '../../src/lib/i18n'
import type { UndoStep } from '../../src/lib/toasts.svelte'
import { References } from '../../src/team/references.svelte'

extend(teamPage)
const face = (id: number): ReferencesOut['items'][number] => ({ id, image_id: id, width: 160, height: 160, box: [24, 24, 112, 112], taken_at: '2026-11-30T10:00:00' })

/** A server in memory. */
class Server {
  libraries: string[] = []
  refused: Problem | null = null
  faces: number[] = []
  resembles: ReferenceOut['resembles'] = null
  readonly sent: string[] = []
  private steps = 0

  references = (): Promise<ReferencesOut> => Promise.resolve({ items: this.faces.map(face), libraries: this.libraries, refusal: null })
  addReference = async (id: number, photo: Blob, library: string): Promise<ReferenceOut> => {
    if (this.refused) throw new ApiError(422, this.refused)
    this.sent.push(`${id} ${(photo as File).name} ${library}`)
    const added = !this.faces.includes(7)
    this.faces = [7]
    return { added, undo: added ? `step ${++this.steps}` : null, resembles: this.resembles }
  }
  removeReference = async (id: number, removed: number): Promise<Edited> => {
    this.faces = this.faces.filter((each) => each !== removed)
    return { undo: `step ${++this.steps}`, count: 1, person_id: id }
  }
}

function shown(server = new Server()) {
  const told: { readonly text: string; readonly step: UndoStep | null }[] = []
  const back = vi.fn((_: string) => Promise.resolve(true))
  const app = { t: texts('en'), refresh: vi.fn(), read: (what: () => Promise<unknown>) => what().then(() => true) }
  const refusal = async (call: () => Promise<void>): Promise<Problem | null> => call().then(() => null, (error: ApiError) => error.problem)
  const toasts = {
    show: (text: string, step: unknown = null) => void told.push({ text, step: step as UndoStep | null }),
    note: (step: UndoStep) => void told.push({ text: '', step }),
    undo: async (step?: UndoStep) => void (await step?.undo()),
  }
  return { references: new References(() => ({ id: 1, name: 'Mei' }), server, app as never, toasts, back, refusal), server, told, back }
}

describe('reference photos', () => {
  it('are added and removed, each with the way back and forth', async () => {
    const { references, server, told, back } = shown()
    await references.read()
    await references.add(new File(['x'], 'a.jpg'))
    await references.add(new File(['x'], 'a.jpg'))
    await references.remove(7)
    expect(told.map(({ text }) => text)).toEqual(['Reference photo of Mei added', 'This photo is a reference of Mei already', 'Reference photo of Mei removed'])
    expect([told[1]?.step, server.faces, server.sent]).toEqual([null, [], ['1 a.jpg ', '1 a.jpg ']])

    await told[2]?.step?.undo()
    expect(back).toHaveBeenLastCalledWith('step 2')
    expect(await told[2]?.step?.redo?.()).toBe(true)
    await told[2]?.step?.undo()
    expect(back).toHaveBeenLastCalledWith('step 3')
    await told[0]?.step?.undo()
    expect(back).toHaveBeenLastCalledWith('step 1')
  })

  it('that show another person are taken, and can be removed or kept', async () => {
    const { references, server, told, back } = shown()
    server.resembles = { id: 2, name: 'Lei' }
    await references.add(new File(['x'], 'a.jpg'))
    expect(references.doubt?.resembles).toBe('Lei')
    expect(told.map(({ text }) => text)).toEqual(['']) // the note beside the photos says it, and stays
    references.keep()
    expect([references.doubt, back.mock.calls]).toEqual([null, []])

    server.faces = []
    await references.add(new File(['x'], 'a.jpg'))
    await references.takeBack()
    expect(back).toHaveBeenLastCalledWith('step 2')
    expect(references.doubt).toBeNull()

    server.faces = []
    await references.add(new File(['x'], 'a.jpg'))
    await told.at(-1)?.step?.undo() // by key
    expect(references.doubt).toBeNull()
  })

  it('are sent to a library that was chosen, if there are several', async () => {
    const { references, server } = shown()
    server.libraries = ['School', 'Archive']
    await references.read()
    await references.add(new File(['x'], 'a.jpg'))
    expect([references.undecided, server.sent]).toEqual([true, []])
    references.library = 'Archive'
    await references.add(new File(['x'], 'a.jpg'))
    expect([references.undecided, server.sent]).toEqual([false, ['1 a.jpg Archive']])
  })

  it('that were refused say why, until the next one', async () => {
    const { references, server, told } = shown()
    server.refused = { code: 'people.reference_several', cause: 'C', remedy: 'R', params: {} } as Problem
    await references.add(new File(['x'], 'a.jpg'))
    expect([references.problem?.code, references.adding, told]).toEqual(['people.reference_several', false, []])
    server.refused = null
    await references.add(new File(['x'], 'b.jpg'))
    expect(references.problem).toBeNull()
  })
})
