/**
 * Handlers for a button in whose place the next thing to be asked comes at once: a double click, or a key held down, is meant for one.
 */
export function once(action: () => void): { onclick: (event: MouseEvent) => void; onkeydown: (event: KeyboardEvent) => void } {
  return {
    onclick: (event) => {
      if (event.detail < 2) action()
    },
    onkeydown: (event) => {
      if (event.repeat) event.preventDefault()
    },
  }
}
