/** Short messages at the foot of the page about what was just done, with the way back. Never for errors: those stand beside their cause. */

export interface Toast {
  readonly id: number
  readonly text: string
  /** takes it back; offered until the message goes */
  readonly undo: (() => unknown) | null
  /** where it can be looked at */
  readonly link: { readonly href: string; readonly text: string } | null
}

const SHOWN_MS = 8_000
const MOST = 3

export class Toasts {
  list = $state.raw<readonly Toast[]>([])
  private count = 0
  private readonly timers = new Map<number, ReturnType<typeof setTimeout>>()

  show(text: string, undo: Toast['undo'] = null, link: Toast['link'] = null): void {
    const toast = { id: ++this.count, text, undo, link }
    for (const old of this.list.slice(0, Math.max(0, this.list.length - MOST + 1))) this.close(old.id)
    this.list = [...this.list, toast]
    this.release(toast.id)
  }

  /** Stays while somebody looks at it. */
  hold(id: number): void {
    clearTimeout(this.timers.get(id))
  }

  release(id: number): void {
    this.hold(id)
    this.timers.set(id, setTimeout(() => this.close(id), SHOWN_MS))
  }

  close(id: number): void {
    clearTimeout(this.timers.get(id))
    this.timers.delete(id)
    this.list = this.list.filter((toast) => toast.id !== id)
  }

  /** Takes back the latest that can be taken back; false if there is none. */
  undo(id?: number): boolean {
    const toast = this.list.findLast((candidate) => candidate.undo !== null && (id === undefined || candidate.id === id))
    if (toast === undefined) return false
    this.close(toast.id)
    toast.undo?.()
    return true
  }
}

export const toasts = new Toasts()
