/** Reads the rest of the program, once the first page is up or when something of it is wanted; and the pages of people when they are. */

export type Rest = typeof import('../rest')
export type PeoplePages = typeof import('../people/peoplePages')
export type CoverPages = typeof import('../coverPages')

export class Later<Parts> {
  /** null until they have been read */
  parts = $state.raw<Parts | null>(null)
  /** something of them is waited for */
  wanted = $state(false)
  /** they could not be read: reading them again reads the whole page anew */
  failed = $state(false)

  constructor(
    private readonly load: () => Promise<Parts>,
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

const anew = (): void => location.reload()

export const later = new Later<Rest>(() => import('../rest'), anew)
export const laterPeople = new Later<PeoplePages>(async () => (await import('../rest')).people(), anew)
export const laterCovers = new Later<CoverPages>(async () => (await import('../rest')).covers(), anew)
