/** Hides the popup after some seconds, unless the user is looking at it. */

/** Why it stays. */
export type Reason = 'pointer' | 'focus' | 'menu'

export class HideTimer {
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly holds = new Set<string>()
  private seconds: number | null = null

  constructor(private readonly hide: () => void) {}

  /** Whether the user is looking at it. */
  get held(): boolean {
    return this.holds.size > 0
  }

  /** Starts to count; null: the popup stays until the user hides it. */
  restart(seconds: number | null): void {
    this.seconds = seconds
    this.arm()
  }

  /** A reason to stay (pointer, focus, an open menu) begins or ends; the count starts again when the last one ends. */
  hold(reason: Reason, held: boolean): void {
    if (held) this.holds.add(reason)
    else this.holds.delete(reason)
    this.arm()
  }

  /** Stops counting and forgets all holds: a hidden window may never hear that the pointer left. */
  stop(): void {
    this.seconds = null
    this.holds.clear()
    clearTimeout(this.timer)
  }

  private arm(): void {
    clearTimeout(this.timer)
    if (this.seconds === null || this.holds.size > 0) return
    this.timer = setTimeout(() => {
      this.seconds = null
      this.hide()
    }, this.seconds * 1000)
  }
}
