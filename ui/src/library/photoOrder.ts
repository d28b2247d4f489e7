/** The photos in the order they are shown, as the agent packs them. */

import type { Day } from '../lib/layout'

export interface Order {
  readonly ids: Uint32Array
  /** width × 100 / height of each */
  readonly ratios: Uint16Array
  readonly days: readonly Day[]
}

/** Reads what `/api/library?packed=true` answers; the numbers stay where they are. All machines with a browser are little-endian. */
export function unpack(buffer: ArrayBuffer): Order {
  const [count = 0, dayCount = 0] = new Uint32Array(buffer, 0, 2)
  let at = 8
  const part = <T>(make: new (buffer: ArrayBuffer, offset: number, length: number) => T, length: number, bytes: number): T => {
    const numbers = new make(buffer, at, length)
    at += length * bytes
    return numbers
  }
  const ids = part(Uint32Array, count, 4)
  const days = part(Int32Array, dayCount, 4)
  const counts = part(Uint32Array, dayCount, 4)
  const ratios = part(Uint16Array, count, 2)
  return { ids, ratios, days: Array.from(days, (day, index) => ({ day, count: counts[index] as number })) }
}
