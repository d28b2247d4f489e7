/** Reads the rest of the program, once the first page is up or when something of it is wanted. */

export type Rest = typeof import('./rest')

export class Later {
  /** null until they have been read */
  parts = $state.raw<Rest | null>(null)
  /** something of them is waited for */
  wanted = $state(false)
  /** they could not be read: reading them again reads the whole page anew */
  failed = $state(false)

  constructor(
    private readonly load: () => Promise<Rest>,
    private readonly startAnew: () => void,
  ) {}

  async read(): Promise<void> {
    // The agent may be another version by now, and a browser may remember what it could not read: only the whole page read anew mends both.
    if (this.failed) return this.startAnew()
    try {
      this.parts = await this.load()
    } catch {
      this.failed = true
    }
  }
}

export const later = new Later(
  () => import('./rest'),
  () => location.reload(),
)
