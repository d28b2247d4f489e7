/** Full screen for one picture. The whole document goes full screen, so that menus and messages stay visible. */

class FullScreen {
  on = $state(false)
  readonly possible = document.fullscreenEnabled

  constructor() {
    document.addEventListener('fullscreenchange', () => (this.on = document.fullscreenElement !== null))
  }

  toggle = (): void => void (this.on ? this.leave() : document.documentElement.requestFullscreen().catch(() => undefined))

  /** What was shown there is left. */
  leave = (): void => {
    if (document.fullscreenElement !== null) void document.exitFullscreen().catch(() => undefined)
  }
}

export const fullscreen = new FullScreen()
