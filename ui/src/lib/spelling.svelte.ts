/** How names are spelled: read when somebody first looks for a name, for the first page does without. */

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
