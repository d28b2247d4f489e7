/** Handlers for a button that the next question replaces at once: a double click or a key held down must answer only one. */
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
