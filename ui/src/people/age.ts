/** A person's age, as far as it matters. */

/** Whether a person is younger than 14: then a guardian decides. */
export function underFourteen(birth: string | null, today: Date): boolean {
  if (birth === null) return false
  const [year = 0, month = 1, day = 1] = birth.split('-').map(Number)
  return today < new Date(year + 14, month - 1, day)
}
