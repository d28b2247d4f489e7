/** Loads the spelling of names when a search first needs it. */

type Spelled = (name: string, typed: string) => 1 | 2 | 3

class Spelling {
  /** null until it is known: names are then found by their own letters only */
  spelled = $state.raw<Spelled | null>(null)

  async read(): Promise<void> {
    this.spelled ??= await import('./pinyin').then(
      (pinyin) => pinyin.spelled,
      () => null,
    )
  }
}

export const spelling = new Spelling()
