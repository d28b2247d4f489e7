/** Actions of buttons that stay in reach meanwhile: such a button is `aria-disabled`, since a disabled one would lose the focus. */

export class OneAtATime {
  /** one is under way */
  busy = $state(false)

  /** Runs an action; while another is under way it does nothing, so that a double click acts once. */
  async run(action: () => unknown): Promise<void> {
    if (this.busy) return
    this.busy = true
    try {
      await action()
    } finally {
      this.busy = false
    }
  }
}
