/** Parts of the program that are loaded after the first page. */

export class Lazy<Parts> {
  /** null until they are loaded */
  parts = $state.raw<Parts | null>(null)
  /** The user needs one of them. */
  wanted = $state(false)
  /** Loading failed; loading again reloads the whole page. */
  failed = $state(false)
  private source: (() => Promise<Parts>) | null = null

  constructor(private readonly reload: () => void = () => location.reload()) {}

  /** Says where the parts come from: the program's entry knows that, not the room. */
  from(source: () => Promise<Parts>): void {
    this.source = source
  }

  async load(): Promise<void> {
    // The agent may be another version by now, and a browser may remember a failed import: only reloading the page mends both.
    if (this.failed) return this.reload()
    try {
      this.parts = (await this.source?.()) ?? null
    } catch {
      this.failed = true
    }
  }
}
