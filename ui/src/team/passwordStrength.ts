/** Estimates how hard a password is to guess; a hint for the one who types it, no rule. */

export const LEAST_LENGTH = 12

export type Strength = 'short' | 'named' | 'weak' | 'fair' | 'strong'

/** From this length on, a name may not even be a part. */
const TELLING = 4
const CLASSES = [/[a-z]/, /[A-Z]/, /\d/, /[^\p{L}\p{N}\s]/u, /[^\x00-\x7f]/] as const
const SIZES = [26, 26, 10, 33, 3_000] as const

/** Letters that follow from the ones before: the same again, or the next of the alphabet or of the digits. */
function expected(letters: readonly string[]): number {
  let count = 0
  for (let place = 1; place < letters.length; place++) {
    const step = (letters[place]?.codePointAt(0) ?? 0) - (letters[place - 1]?.codePointAt(0) ?? 0)
    if (Math.abs(step) <= 1) count += 1
  }
  return count
}

/** Whether the server would refuse it: a short name may be part of any sentence, and only its repetition is refused. */
function holdsName(password: string, names: readonly string[]): boolean {
  const folded = password.normalize('NFKC').toLowerCase()
  return names.some((name) => {
    const word = name.normalize('NFKC').toLowerCase()
    return word !== '' && folded.includes(word) && ([...word].length >= TELLING || /^[0-9 !?.\-_]*$/.test(folded.replaceAll(word, '')))
  })
}

/** @param names what others know of the person, such as the account's name */
export function strengthOf(password: string, names: readonly string[]): Strength {
  const letters = [...password]
  if (letters.length < LEAST_LENGTH) return 'short'
  if (holdsName(password, names)) return 'named'
  let rest = password.toLowerCase()
  for (const name of names) if (name.length > 2) rest = rest.replaceAll(name.toLowerCase(), '')
  const counted = [...rest]
  const size = CLASSES.reduce((sum, pattern, index) => sum + (pattern.test(password) ? (SIZES[index] ?? 0) : 0), 1)
  const different = new Set(counted).size
  const bits = Math.min(counted.length - expected(counted), different * 2) * Math.log2(size)
  return bits < 45 ? 'weak' : bits < 85 ? 'fair' : 'strong'
}
