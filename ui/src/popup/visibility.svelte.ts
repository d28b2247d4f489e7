/** Hides the popup's window after some seconds, unless the user points at it, types into it or has a menu open. */

import { HideTimer, type Reason } from './hideTimer'

export class Visibility {
  /** In the program's own window the page can hide it; in a browser the tab is the user's. */
  own = $state('pywebview' in window)

  private readonly timer: HideTimer

  constructor(
    private readonly hidden: () => unknown,
    /** null: it stays until the user hides it */
    private readonly seconds: () => number | null,
    /** called when the user begins to look at the popup, and when they stop */
    private readonly looked: (held: boolean) => unknown,
    /** told when the window is shown */
    private readonly opened: () => unknown = () => undefined,
  ) {
    this.timer = new HideTimer(() => this.hidden())
  }

  hold(reason: Reason, held: boolean): void {
    this.timer.hold(reason, held)
    this.looked(this.timer.held)
  }

  /** It has its whole time again, or stays. */
  restart(): void {
    if (this.own) this.timer.restart(this.seconds())
  }

  stop(): void {
    this.timer.stop()
    this.looked(false)
  }

  hide(): void {
    this.stop()
    this.hidden()
  }

  /** Follows the document and the window's announcement until the returned function is called. */
  start(): () => void {
    const announced = (): void => {
      this.own = true
      this.restart()
    }
    const seen = (): void => {
      if (document.visibilityState !== 'visible') return this.stop()
      this.opened()
      this.restart()
    }
    window.addEventListener('pywebviewready', announced)
    document.addEventListener('visibilitychange', seen)
    return () => {
      window.removeEventListener('pywebviewready', announced)
      document.removeEventListener('visibilitychange', seen)
      this.stop()
    }
  }
}
