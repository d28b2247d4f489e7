/** Keyboard control of a radio group: Tab reaches the chosen button, arrows move, Space or Enter chooses. */

const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }

/** The place an arrow key goes to from another; null for other keys. */
export function stepped(key: string, at: number, count: number): number | null {
  const by = STEPS[key]
  return by === undefined || count === 0 ? null : (at + by + count) % count
}

export function arrows(event: KeyboardEvent & { readonly currentTarget: HTMLElement }): void {
  const radios = [...event.currentTarget.querySelectorAll<HTMLElement>('[role=radio]')]
  const to = stepped(event.key, radios.indexOf(document.activeElement as HTMLElement), radios.length)
  if (to === null) return
  event.preventDefault()
  radios[to]?.focus()
}
